import type { Span } from '../span/span.ts';
import type { Shown } from './draft.ts';

/** A call whose text is made when it is read: of many calls only a few are printed. */
class ShownLater<Case> implements Shown {
  readonly client: Span | null;
  readonly server: Span | null;
  readonly #shown: Case;
  readonly #tell: (shown: Case) => string;

  constructor(client: Span | null, server: Span | null, shown: Case, tell: (shown: Case) => string) {
    this.client = client;
    this.server = server;
    this.#shown = shown;
    this.#tell = tell;
  }

  get says(): string {
    return this.#tell(this.#shown);
  }
}

/** @param tell One function for all calls: one for each call would take memory. */
export function showCalls<Case extends { readonly client: Span | null; readonly server: Span | null }>(
  cases: readonly Case[],
  tell: (shown: Case) => string,
): readonly Shown[] {
  return cases.map((shown) => new ShownLater(shown.client, shown.server, shown, tell));
}

/** For CLIENT and PRODUCER spans without another side. */
export function showClients(clients: readonly Span[], tell: (client: Span) => string): readonly Shown[] {
  return clients.map((client) => new ShownLater(client, null, client, tell));
}
