import type { Call } from '../calls/call-group.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import type { Finding } from './define-finding.ts';
import type { Draft } from './draft.ts';
import { showCalls } from './shown-later.ts';

/** Groups whole calls that show a cause by edge, and all other calls into one group. */
export function groupByEdge<Item extends Call>(
  calls: readonly Item[],
  isShowing: (call: Item) => boolean = () => true,
): readonly Group<Item>[] {
  const keyOf = (call: Item): string | null =>
    isShowing(call) ? keyFor(call.client.serviceName, call.server.serviceName, call.protocol) : null;
  return [...mapBy(calls, keyOf).values()];
}

export function reportCalls<Item extends Call>(
  finding: Finding,
  calls: Group<Item>,
  describe: (call: Item) => string,
): Draft {
  const [{ client, server, protocol }] = calls;
  return finding.report({
    client: client.serviceName,
    server: server.serviceName,
    protocol,
    shown: showCalls(calls, describe),
  });
}
