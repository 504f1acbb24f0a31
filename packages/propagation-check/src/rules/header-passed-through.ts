import { type Call, type CallGroup, selectCalls } from '../calls/call-group.ts';
import { none } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { compareRequests, endsWithin, isSamePath, startsDuring, takeFitting } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { type Check, protocolOf, type Scene, type Shown } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('header-passed-through', {
  kind: 'cause',
  isConclusive: false,
  shows: 'B stands beside the hop in front of it, below the same CLIENT span',
  title: 'A hop hands on the header that it received',
  why: 'A service in between makes a span, and the request that it sends on still names the span before it.',
  fix: 'Let the hop write its own context: inject after its CLIENT span has begun (a proxy: propagate, not pass through).',
});

/**
 * A hop made a SERVER span of its own and handed on the header that it had received: the called service hangs beside the hop,
 * below the same CLIENT span, instead of below the hop.
 */
export const findHeadersPassedThrough: Check = (scene, open) => {
  const groups = scene.groups.filter(
    ({ clientKind, serverKind }) => clientKind === 'CLIENT' && serverKind === 'SERVER',
  );
  const repeated = listRepeated(scene, groups);
  if (repeated.size === 0) return [];
  const requests = selectCalls(scene.graph, groups, (client) => repeated.has(client));
  const clientsOf = mapBy(open.clients, ({ traceId }) => traceId);
  const passed = groupBy(requests, ({ client }) => keyFor(client.traceId, client.spanId)).flatMap((calls) => {
    const clients = clientsOf.get(calls[0].server.traceId) ?? [];
    const servers = calls.map(({ server }) => server);
    return calls.flatMap((call) => findPassed(scene, clients, servers, call));
  });
  return groupBy(passed, ({ hop, server }) => keyFor(hop.serviceName, server.serviceName)).map((group) => {
    const [first] = group;
    const { hop, server } = first;
    // Traffic that is mirrored makes the same picture, unless the hop is expected to call, or shows that it did.
    const isCalling = group.some(({ client }) => client !== null) || isExpectedHop(scene, first);
    return finding.report({
      ...(isCalling ? {} : { severity: 'warning' as const, isLikely: true }),
      client: hop.serviceName,
      server: server.serviceName,
      protocol: protocolOf(server),
      shown: group,
    });
  });
};

/** The clients of more than one call. */
function listRepeated({ graph }: Scene, groups: readonly CallGroup[]): ReadonlySet<number> {
  const isSeen = new Uint8Array(graph.store.size);
  const repeated = new Set<number>();
  for (const { clients } of groups) {
    for (let at = 0; at < clients.length; at += 1) {
      const client = clients[at] ?? none;
      if (isSeen[client] === 1) repeated.add(client);
      isSeen[client] = 1;
    }
  }
  return repeated;
}

interface Passed extends Shown {
  readonly hop: Span;
  readonly server: Span;
}

function findPassed(
  scene: Scene,
  clients: readonly Span[],
  siblings: readonly Span[],
  { client: caller, server }: Call,
): readonly Passed[] {
  const [hop] = takeFitting(
    siblings,
    bounds.looks,
    1,
    (span) =>
      span.serviceName !== server.serviceName &&
      startsDuring(server, span, scene.thresholds) &&
      endsWithin(server, span, scene.thresholds) &&
      isSamePath(span, server),
  );
  if (hop === undefined || scene.groupsBetween(hop.serviceName, server.serviceName).length > 0) return [];
  const client =
    clients.find(
      (span) =>
        span.serviceName === hop.serviceName &&
        startsDuring(server, span, scene.thresholds) &&
        compareRequests(span, server) === 'yes',
    ) ?? null;
  return [
    {
      hop,
      client,
      server,
      says: `SERVER ${server.spanId} has the parent of SERVER ${hop.spanId} of ${hop.serviceName}, CLIENT ${caller.spanId} of ${caller.serviceName}, and began and ended within it`,
    },
  ];
}

function isExpectedHop({ expectation }: Scene, { hop, server }: Passed): boolean {
  return expectation.edges.some(
    (edge) => edge.rule === 'must' && edge.client === hop.serviceName && edge.server === server.serviceName,
  );
}
