import { readAddress } from '../calls/address.ts';
import { measureLag } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { readOutcome } from '../calls/outcome.ts';
import { findTop, isBelow, type TraceGraph } from '../graph/trace-graph.ts';
import { groupPairs, type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { startsDuring } from '../pairing/times.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, keyFor, mapBy } from '../util/group-by.ts';
import { isCovered } from './coverage.ts';
import { defineFinding } from './define-finding.ts';
import { edgeOf } from './draft.ts';
import { type HeaderCause, readMissingAnswer } from './header-cause.ts';
import { describeReasons, gate, rule } from './rule.ts';
import { listToSameTargets } from './same-target.ts';
import type { Open, Scene } from './scene.ts';

export const finding = defineFinding('server-span-lost', {
  kind: 'cause',
  isConclusive: false,
  shows: "the header was delivered, B's SERVER span never arrived",
  title: 'The called service\u2019s SERVER span never arrived',
  why: 'The context was delivered, but the called service\u2019s spans were not: telemetry is lost, not propagation.',
  fix: 'Check the exporter of the called service and the Collector\u2019s refused and failed spans.',
  ofMessages: { title: 'The receiving service\u2019s CONSUMER span never arrived' },
});

/** Calls of one edge, each with a span of the called service in the same trace whose parent is missing. */
interface LostServers {
  readonly pairs: Group<Pair>;
  /** Other calls to the same address that have no such span. */
  readonly alike: readonly Span[];
  readonly orphans: readonly Span[];
}

/**
 * The header was delivered: the called service worked in the caller's trace, but its SERVER span never arrived. Evidence: its other spans
 * (INTERNAL, CLIENT, ...) whose parent is missing. Certain if span flags say that the parent is local; without flags the parent may belong
 * to another process.
 */
export const lostServerSpans = rule<LostServers>({
  finding,
  measure: (scene, open) => {
    const unanswered = listUnanswered(open.orphans);
    const left = open.orphans.filter(
      (span) => isOfServer(span) && !isBelowAny(unanswered, span) && !mayBeBegun(scene, open, span),
    );
    // The spans below one missing parent show one call.
    const first = [...mapBy(left, keyOfParent).values()].map(([span]) => span);
    const pair = (fits: (client: Span, span: Span) => boolean): readonly Pair[] =>
      pairSpans(
        open.clients,
        first,
        (client, span) => whyApart(scene, client, span) === null && fits(client, span),
        scene.thresholds,
      );
    // Where several calls are open, those to the hosts of calls that were open alone are meant.
    const alone = mapBy(
      pair(() => true).filter(({ unique }) => unique),
      ({ server }) => server.serviceName,
    );
    const hosts = new Map([...alone].map(([service, pairs]) => [service, new Set(pairs.map(hostOfCall))]));
    const pairs = pair(
      (client, server) => hosts.get(server.serviceName)?.has(hostOfCall({ client })) ?? true,
    );
    return groupPairs(pairs).map((ofEdge) => ({
      pairs: ofEdge,
      alike: listAlike(scene, open.clients, ofEdge),
      orphans: listOrphansOf(open.orphans, ofEdge),
    }));
  },
  gates: [
    gate(
      'spans of the called service from the time at which its SERVER span should have ended',
      ({ pairs }, scene) => pairs.some((pair) => isServerDue(scene, pair)),
      ({ pairs: [{ server }] }) => `${server.serviceName} delivered none that late, or none that early`,
    ),
  ],
  looseEnds: ({ pairs, orphans }) => [...pairs.map(({ client }) => client), ...orphans],
  report: ({ pairs, alike, orphans }, scene) => {
    const [{ server }] = pairs;
    return finding.report({
      isLikely: alike.length > 0 || !pairs.every((pair) => isProof(scene, pair)),
      ...edgeOf(pairs[0]),
      shown: [
        ...pairs.map((pair) => ({
          client: pair.client,
          server: null,
          says: `${pair.server.kind} "${pair.server.name}" of the called service hangs under ${pair.server.parentSpanId}, which never arrived`,
        })),
        ...alike.map((call) => ({
          client: call,
          server: null,
          says: `was answered at the same address, and ${server.serviceName} has no SERVER span at all`,
        })),
      ],
      explains: orphans,
    });
  },
  whyNot: (scene, open, looseEnd) => {
    if (!scene.graph.isOrphan(scene.graph.rowOf(looseEnd)) || !isOfServer(looseEnd)) return null;
    if (isBelowAny(listUnanswered(open.orphans), looseEnd))
      return 'its answer was begun and not sent to its end';
    if (mayBeBegun(scene, open, looseEnd)) return 'its missing parent may have begun the trace';
    const ofTrace = open.clients.filter((client) => client.traceId === looseEnd.traceId);
    return describeReasons(
      `${countOf(ofTrace.length, 'call')} without a child in its trace`,
      ofTrace.map((client) => whyApart(scene, client, looseEnd)),
    );
  },
});

function hostOfCall({ client }: Pick<Pair, 'client'>): string | null {
  return readAddress(client).host;
}

/** Whether the missing parent of a span may be the SERVER span of its own process. */
function isOfServer(span: Span): boolean {
  return isEntry(span) ? isParentRemote(span) === false : isParentRemote(span) !== true;
}

/**
 * Parents whose response was started and not completed, so they may still be open: a stream may go on after the caller's span has ended.
 * Source: opentelemetry-python-contrib, instrumentation-asgi, a span for each ASGI event.
 */
function listUnanswered(orphans: readonly Span[]): ReadonlySet<string> {
  const parentsOf = (event: string): readonly string[] =>
    orphans.flatMap((span) => (span.attributes.get('asgi.event.type') === event ? keyOfParent(span) : []));
  const ended = new Set(parentsOf('http.response.body'));
  return new Set(parentsOf('http.response.start').filter((parent) => !ended.has(parent)));
}

function isBelowAny(parents: ReadonlySet<string>, span: Span): boolean {
  return parents.has(keyOfParent(span));
}

function keyOfParent({ traceId, parentSpanId }: Span): string {
  return keyFor(traceId, parentSpanId);
}

/** Why a span does not belong to the work that a call led to; null if it can. */
function whyApart(scene: Scene, client: Span, span: Span): string | null {
  if (client.traceId !== span.traceId) return 'of another trace';
  if (client.serviceName === span.serviceName) return 'of the same service';
  // A span that began after the call had ended belongs to the next call, which may still be open.
  if (!startsDuring(span, client, scene.thresholds) || span.startTimeUnixNano > client.endTimeUnixNano)
    return 'not open when it began';
  if (isBelow(scene.graph, client, span) || isBesides(scene.graph, client, span)) return 'made by it';
  if (isElsewhere(scene, client, span.serviceName)) return 'to another host than whole calls';
  return readOutcome(client) === 'unreached' ? 'not answered by the called service' : null;
}

/**
 * Whether the missing parent may be the root of the trace: the trace lacks its beginning, and the service begins other traces, while no
 * call to it is whole or expected.
 */
function mayBeBegun({ graph, shared }: Scene, { roots }: Open, { traceId, serviceName }: Span): boolean {
  return (
    !graph.isBegun(traceId) &&
    roots.count(serviceName) > 0 &&
    shared.hostsOf(serviceName).size === 0 &&
    shared.callersExpectedOf(serviceName).length === 0
  );
}

/** Whether whole calls to a service all went to other hosts than this call. Another port may be that of another protocol. */
function isElsewhere({ shared }: Scene, client: Span, server: string | null): boolean {
  const hosts = shared.hostsOf(server);
  const { host } = readAddress(client);
  return host !== null && hosts.size > 0 && !hosts.has(null) && !hosts.has(host);
}

/** Whether the missing parent of the span is also the parent above the call. */
function isBesides(graph: TraceGraph, client: Span, { parentSpanId }: Span): boolean {
  return findTop(graph, client).parentSpanId === parentSpanId;
}

/** Whether span flags say that the missing parent is local, and the service delivered other spans of that time. */
function isProof(scene: Scene, pair: Pair): boolean {
  return isParentRemote(pair.server) === false && isServerDue(scene, pair);
}

/** Whether the capture would hold the SERVER span. If not, it may still be open or not yet exported. */
function isServerDue(scene: Scene, { client, server }: Pair): boolean {
  const end = client.endTimeUnixNano + measureServerLag(scene, client, server);
  return isCovered(scene, server.serviceName, client.startTimeUnixNano, end);
}

/** Other calls to the same address: they have no child either if the service delivers no SERVER span. */
function listAlike(scene: Scene, clients: readonly Span[], pairs: Group<Pair>): readonly Span[] {
  if (scene.services.hasEntries(pairs[0].server.serviceName)) return [];
  return listToSameTargets(
    clients,
    pairs.map((pair) => pair.client),
  );
}

/** How long after the CLIENT span the SERVER span may end: as in whole calls, otherwise as long again as the call took. */
function measureServerLag(scene: Scene, client: Span, span: Span): bigint {
  const whole = scene.groupsBetween(client.serviceName, span.serviceName);
  return whole.length > 0 ? measureLag(whole, 'server') : client.endTimeUnixNano - client.startTimeUnixNano;
}

/** Other orphans of the same service in the same traces have the same cause. */
function listOrphansOf(orphans: readonly Span[], pairs: readonly Pair[]): readonly Span[] {
  const traces = new Set(pairs.map(({ server }) => keyFor(server.traceId, server.serviceName)));
  return orphans.filter((span) => traces.has(keyFor(span.traceId, span.serviceName)));
}

/** The service itself says that it made a sampled span in the caller's trace, so that span was not delivered. */
export const serverSpanLost: HeaderCause = {
  finding,
  // A hop behind the tap may have named its own span.
  needs: { sides: ['callee'] },
  explain: (call) => {
    const answered = readMissingAnswer(call);
    return answered?.sampled === true
      ? `the called service answered with its span ${answered.spanId}, which is sampled and never arrived`
      : null;
  },
};
