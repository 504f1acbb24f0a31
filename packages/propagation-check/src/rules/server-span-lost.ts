import { readCallFacts, readOutcome } from '../calls/call-facts.ts';
import { measureLag } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { isBelow } from '../graph/trace-graph.ts';
import { type Pair, pairSpans, startsDuring } from '../pairing/pair.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, edgeProtocol, isCovered, type Scene } from './check.ts';
import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readMissingAnswer } from './header-cause.ts';
import { listToSameTargets } from './same-target.ts';

export const finding = defineFinding('server-span-lost', {
  kind: 'cause',
  isConclusive: false,
  shows: "the header was delivered, B's SERVER span never arrived",
  title: 'The called service\u2019s SERVER span never arrived',
  why: 'The context was delivered, but the called service\u2019s spans were not: telemetry is lost, not propagation.',
  fix: 'Check the exporter of the called service and the Collector\u2019s refused and failed spans.',
});

/**
 * The header was delivered: the called service worked in the caller's trace, but its SERVER span never arrived.
 * Shown by its other spans (INTERNAL, CLIENT, ...) that hang under a span of their own process which is nowhere.
 */
export const findServerSpansLost: Check = (scene, open) => {
  const left = open.orphans.filter((span) =>
    isEntry(span) ? isParentRemote(span) === false : isParentRemote(span) !== true,
  );
  const pairs = pairSpans(
    open.clients,
    left,
    (client, span) =>
      client.traceId === span.traceId &&
      client.serviceName !== span.serviceName &&
      // A span that began after the call had ended belongs to the next call, which may still be open.
      startsDuring(span, client, scene.thresholds) &&
      span.startTimeUnixNano <= client.endTimeUnixNano &&
      !isBelow(scene.graph, client, span) &&
      readOutcome(client) !== 'unreached',
    scene.thresholds,
  );
  const edges = groupBy(pairs, ({ client, server }) => keyFor(client.serviceName, server.serviceName));
  return edges.flatMap((group) => {
    const first = group[0];
    if (first === undefined || !group.some((pair) => isServerDue(scene, pair))) return [];
    return [
      finding.report({
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: edgeProtocol(readCallFacts(first.client).protocol),
        shown: [
          ...group.map(({ client, server }) => ({
            client,
            server: null,
            says: `${server.kind} "${server.name}" of the called service hangs under ${server.parentSpanId}, which never arrived`,
          })),
          ...listAlike(scene, open.clients, group).map((client) => ({
            client,
            server: null,
            says: `was answered at the same address, and ${first.server.serviceName} has no SERVER span at all`,
          })),
        ],
        explains: listOrphansOf(open.orphans, group),
      }),
    ];
  });
};

/** Otherwise the SERVER span may still be open, or on its way. */
function isServerDue(scene: Scene, { client, server }: Pair): boolean {
  const end = client.endTimeUnixNano + measureServerLag(scene, client, server);
  return isCovered(scene, server.serviceName, client.startTimeUnixNano, end);
}

/** Calls to the same address that led to nothing else: they too have no child where no SERVER span is delivered. */
function listAlike(scene: Scene, clients: readonly Span[], pairs: readonly Pair[]): readonly Span[] {
  const service = pairs[0]?.server.serviceName ?? null;
  if (scene.services.hasEntries(service)) return [];
  return listToSameTargets(
    clients,
    pairs.map((pair) => pair.client),
  );
}

/** How long after its client the SERVER span may have ended: as in whole calls, or as long again as the call took. */
function measureServerLag(scene: Scene, client: Span, span: Span): bigint {
  const whole = scene.groupsBetween(client.serviceName, span.serviceName);
  return whole.length > 0
    ? measureLag(scene.graph, whole, 'server')
    : client.endTimeUnixNano - client.startTimeUnixNano;
}

/** Other orphans of the same service in the same traces have the same cause. */
function listOrphansOf(orphans: readonly Span[], pairs: readonly Pair[]): readonly Span[] {
  const traces = new Set(pairs.map(({ server }) => keyFor(server.traceId, server.serviceName)));
  return orphans.filter((span) => traces.has(keyFor(span.traceId, span.serviceName)));
}

/** The service itself says that it made a sampled span in the caller's trace: that span was not delivered. */
export const serverSpanLost: HeaderCause = {
  finding,
  // A hop behind the tap may have named its own span.
  needs: { sides: ['callee'], excludes: [] },
  explain: (call) => {
    const answered = readMissingAnswer(call);
    return answered?.sampled === true
      ? `the called service answered with its span ${answered.spanId}, which is sampled and never arrived`
      : null;
  },
};
