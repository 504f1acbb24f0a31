import type { Span } from '../span/span.ts';
import type { Shown } from './draft.ts';

/** A call whose text is made when it is read: of many calls only a few are printed. */
class ShownLater<Case> implements Shown {
  readonly client: Span | null;
  readonly server: Span | null;
  readonly #shown: Case;
  readonly #describe: (shown: Case) => string;

  constructor(client: Span | null, server: Span | null, shown: Case, describe: (shown: Case) => string) {
    this.client = client;
    this.server = server;
    this.#shown = shown;
    this.#describe = describe;
  }

  get says(): string {
    return this.#describe(this.#shown);
  }
}

/** @param describe One function for all calls: one for each call would take memory. */
export function showCalls<Case extends { readonly client: Span | null; readonly server: Span | null }>(
  cases: readonly Case[],
  describe: (shown: Case) => string,
): readonly Shown[] {
  return cases.map((shown) => new ShownLater(shown.client, shown.server, shown, describe));
}

/** For CLIENT and PRODUCER spans without another side. */
export function showClients(clients: readonly Span[], describe: (client: Span) => string): readonly Shown[] {
  return clients.map((client) => new ShownLater(client, null, client, describe));
}
