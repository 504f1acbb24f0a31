import type { Call } from '../calls/call-group.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { Draft } from './check.ts';
import type { Finding } from './define-finding.ts';

/** Whole calls that show a cause, a report for each edge. */
export function reportCalls(
  finding: Finding,
  calls: readonly Call[],
  tell: (call: Call) => string,
): readonly Draft[] {
  return groupBy(calls, ({ client, server, protocol }) =>
    keyFor(client.serviceName, server.serviceName, protocol),
  ).map((ofEdge) => {
    const [{ client, server, protocol }] = ofEdge;
    return finding.report({
      client: client.serviceName,
      server: server.serviceName,
      protocol,
      shown: ofEdge.map((call) => ({ client: call.client, server: call.server, says: tell(call) })),
    });
  });
}
