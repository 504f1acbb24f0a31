import { readCallFacts, readOutcome } from '../calls/call-facts.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';

/** Other answered calls, and messages, of the same caller to the same address or queue. */
export function listToSameTargets(clients: readonly Span[], calls: readonly Span[]): readonly Span[] {
  const known = new Set(calls);
  const targets = new Set(calls.map(nameTarget));
  return clients.filter(
    (client) =>
      !known.has(client) &&
      targets.has(nameTarget(client)) &&
      (client.kind === 'PRODUCER' || readOutcome(client) === 'answered'),
  );
}

function nameTarget(client: Span): string {
  const { host, port, destination } = readCallFacts(client);
  const queue = client.kind === 'PRODUCER' ? [destination] : [host, port];
  return keyFor(client.serviceName, ...queue);
}
