import { readOutcome } from '../calls/outcome.ts';
import { nameTarget } from '../calls/target.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';

/** Other answered calls and messages of the same caller to the same address or destination. */
export function listToSameTargets(clients: readonly Span[], calls: readonly Span[]): readonly Span[] {
  const known = new Set(calls);
  const targets = new Set(calls.map(nameCallerAndTarget));
  return clients.filter(
    (client) =>
      !known.has(client) &&
      targets.has(nameCallerAndTarget(client)) &&
      (client.kind === 'PRODUCER' || readOutcome(client) === 'answered'),
  );
}

function nameCallerAndTarget(client: Span): string {
  return keyFor(client.serviceName, nameTarget(client));
}
