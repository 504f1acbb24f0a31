import { groupCalls, viewCalls } from '../calls/call-group.ts';
import { compareRequests, isAddressedTo, pairSpans } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import type { Check } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('wrong-parent', {
  kind: 'cause',
  isConclusive: true,
  shows: "B's SERVER span has a parent that exists and is not the CLIENT span",
  title: 'The header names the wrong span',
  why: 'The called service hangs under a span of the caller that is not the CLIENT span of the call.',
  fix: 'Inject after the CLIENT span has been started and made current, or leave it to the instrumentation.',
});

/**
 * The header named a span that exists and is not the CLIENT span of the call,
 * typically because the context was injected before the CLIENT span was started.
 * Runs after stale-context, which takes the calls whose wrong parent had ended.
 */
export const findWrongParents: Check = (scene, open) => {
  const callers = new Set(open.clients.map((span) => span.serviceName));
  const misled = scene.groups.filter(
    ({ client, clientKind, serverKind }) =>
      clientKind !== 'CLIENT' && clientKind !== 'PRODUCER' && serverKind === 'SERVER' && callers.has(client),
  );
  const edges = groupCalls(misled, ({ client, server }) => keyFor(client, server));
  return edges.flatMap((groups) => {
    const calls = viewCalls(scene.graph, groups);
    const first = calls[0];
    if (first === undefined) return [];
    const parentOf = new Map(calls.map((call) => [call.server, call.client]));
    const clients = open.clients.filter((span) => span.serviceName === first.client.serviceName);
    const servers = calls.map((call) => call.server);
    const tellOfOne = (client: Span, server: Span): boolean =>
      client.traceId === server.traceId && compareRequests(client, server) === 'yes';
    const addressed = pairSpans(
      clients,
      servers,
      (client, server) => tellOfOne(client, server) && isAddressedTo(client, server),
      scene.thresholds,
    );
    // Names and ports of a cluster are not those that its servers see. Once it may be another peer with the same path.
    const pairs = addressed.length > 0 ? addressed : pairSpans(clients, servers, tellOfOne, scene.thresholds);
    const isEvery = pairs.length >= scene.thresholds.fewestMisled && pairs.length === calls.length;
    if (addressed.length === 0 && !isEvery) return [];
    return [
      finding.report({
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: first.protocol,
        shown: pairs.map(({ client, server }) => ({
          client,
          server,
          says: `parent is ${parentOf.get(server)?.kind} "${parentOf.get(server)?.name}" instead of CLIENT ${client.spanId}`,
        })),
      }),
    ];
  });
};
