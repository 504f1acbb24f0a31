import { isEntry } from '../calls/edge.ts';
import { findTop, isBelow, isCallerMissing, isOrphan } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { takeFitting } from '../pairing/limit-work.ts';
import { endsWithin, isOpenAt, startsDuring } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import { describeHop, findDarkHop, keyOfHop } from './dark-hop.ts';
import { defineFinding } from './define-finding.ts';
import { type DarkHop, protocolOf, type Shown } from './draft.ts';
import { hasCall, isExpectedCaller } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';
import { isOfHop, keyOfRequestKind, finding as missingClient } from './missing-client.ts';
import { parentGate } from './parent-gate.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront } from './split-causes.ts';

export const finding = defineFinding('client-span-lost', {
  kind: 'cause',
  isConclusive: false,
  shows: "the same, in a trace that A's other spans belong to",
  title: 'The caller\u2019s CLIENT span never arrived',
  why: 'Both services share the trace, but the span between them was not exported: telemetry is lost, not propagation.',
  fix: 'Let CLIENT spans end (read response bodies), flush before exit, and do not filter them before export.',
  ofMessages: {
    title: 'The sender\u2019s PRODUCER span never arrived',
    fix: 'Let PRODUCER spans end, flush before exit, and do not filter them before export.',
  },
});

interface Lost extends Shown {
  readonly server: Span;
  /** A call without a child that may have led to the request through a service without spans. */
  readonly call: Span | undefined;
  readonly caller: string | null;
  /** A service without spans may stand between the two. */
  readonly isDark: boolean;
  /** The missing span may be of a hop: no expectation names the called service, and the capture may cut the exports of the hop. */
  readonly isOfHop: boolean;
  /** The service without spans, as far as the address of the call or an expectation names it. */
  readonly hop: DarkHop | null;
  /** The caller delivered a span around the missing one that ended later, so the missing span should be here too. */
  readonly isDue: boolean;
}

/**
 * SERVER spans whose parent is not in the data, in a trace with an open request of the caller: the caller's CLIENT span never arrived. If
 * another service may stand between, the symptom `missing-client` is reported. Never certain: only headers show which service made the
 * parent span.
 */
export const lostClientSpans = rule<Group<Lost>>({
  finding,
  measure: (scene, open) => {
    const orphans = open.orphans.filter((span) => isEntry(span) && isCallerMissing(scene.graph, span));
    if (orphans.length === 0) return [];
    // A hop without spans may have called several services for one call.
    const clients = new Set([...open.clients, ...listBeforeHops(open).flatMap(({ client }) => client ?? [])]);
    const ofUnknownProtocol = new Set([...scene.shared.callsOfUnknownProtocol().values()].flat());
    const isCall = (span: Span, server: Span): boolean =>
      clients.has(span) || (ofUnknownProtocol.has(span) && endsWithin(server, span, scene.thresholds));
    const openAtStart = scene.graph.indexTraces(orphans, scene.thresholds.clockTolerance);
    const listAroundOf = rememberOf((server: Span) => listAround(scene, server, openAtStart(server)));
    const countCalls = countCallers(orphans, (server) => listCallers(scene, server, listAroundOf(server)));
    const find = (server: Span, ended?: Span): readonly Lost[] =>
      findCaller(scene, isCall, server, listAroundOf(server), countCalls, ended);
    const direct = orphans.flatMap((server) => find(server));
    const findEnded = lookUpEnded(open, direct);
    const found = direct.flatMap((item) => {
      const ended = findEnded(item.server);
      return ended === undefined ? [item] : find(item.server, ended);
    });
    return groupBy(found, ({ caller, server, isDark, hop }) =>
      keyFor(caller, server.serviceName, String(isDark), keyOfHop(hop)),
    );
  },
  gates: [
    gate(
      'the caller delivered a span around the missing one that ended later',
      (lost) => lost.some(({ isDue }) => isDue),
      (lost) => `none around ${lost.length} SERVER spans`,
    ),
    parentGate((lost) => lost.filter(({ isDue }) => isDue).map(({ server }) => server)),
  ],
  looseEnds: (lost) => lost.map(({ server }) => server),
  report: (lost, scene) => {
    const [{ caller, server, isDark, hop }] = lost;
    const edge = {
      client: caller,
      server: server.serviceName,
      protocol: protocolOf(server),
      shown: lost.map(({ client, server, says }) => ({ client, server, says })),
    };
    const severity = lost.every(({ isOfHop }) => isOfHop) ? ('warning' as const) : ('error' as const);
    if (isDark)
      return missingClient.report({
        ...edge,
        severity,
        ...(hop === null ? {} : { hop, facts: [describeHop(hop, edge)] }),
        candidates: hop === null || hop.service !== null ? behindDarkHop : behindAddress,
      });
    return propagatesByItself(scene, caller)
      ? missingClient.report({ ...edge, candidates: withoutInstrumentation })
      : finding.report({ ...edge, isLikely: true });
  },
  whyNot: ({ graph }, _, looseEnd) =>
    isEntry(looseEnd) && isCallerMissing(graph, looseEnd)
      ? 'no span of another service that belongs to the beginning of the trace was open when it began'
      : null,
});

const behindDarkHop: readonly FindingId[] = [
  'client-span-lost',
  'server-span-lost',
  'not-sampled',
  'header-rewritten',
];

/** The caller called another address, so the spans of the service there are likelier to be missing than a CLIENT span of the caller. */
const behindAddress = moveToFront(behindDarkHop, 'server-span-lost');

const withoutInstrumentation: readonly FindingId[] = [
  'client-not-instrumented',
  'client-span-lost',
  'not-sampled',
];

/** The spans of other services in the trace that were open when `server` started, the latest first. */
function listAround(scene: Scene, server: Span, openThen: Iterable<Span>): readonly Span[] {
  return takeFitting(
    openThen,
    bounds.looks,
    bounds.around,
    (span) =>
      span.serviceName !== server.serviceName &&
      startsDuring(server, span, scene.thresholds) &&
      !isBelow(scene.graph, span, server) &&
      // A program outside the data began this trace, and it may have called this service too.
      !isOrphan(scene.graph, findTop(scene.graph, span)),
  );
}

/** The spans of possible callers among those around a request: the likeliest kind of these. */
function listCallers(scene: Scene, server: Span, around: readonly Span[]): readonly Span[] {
  const callers = around.filter((span) => isExpectedCaller(scene, span.serviceName, server.serviceName));
  const waiting = new Set(around.map(({ parentSpanId }) => parentSpanId));
  // A call, and a span that waits for an open call, are less likely to have made another one.
  const idle = callers.filter(
    ({ kind, spanId }) => kind !== 'CLIENT' && kind !== 'PRODUCER' && !waiting.has(spanId),
  );
  const open = idle.filter((span) => isOpenAt(span, server.startTimeUnixNano, scene.thresholds.rounding));
  return [open, idle, callers].find((some) => some.length > 0) ?? [];
}

/** For how many requests of a service another one is a possible caller. */
function countCallers(
  servers: readonly Span[],
  callersOf: (server: Span) => readonly Span[],
): (caller: Span, server: Span) => number {
  const counts = new Map<string, number>();
  const keyOf = (caller: string | null, server: Span): string => keyFor(caller, server.serviceName);
  for (const server of servers)
    for (const caller of new Set(callersOf(server).map(({ serviceName }) => serviceName)))
      counts.set(keyOf(caller, server), (counts.get(keyOf(caller, server)) ?? 0) + 1);
  return (caller, server) => counts.get(keyOf(caller.serviceName, server)) ?? 0;
}

/**
 * @param isCall Whether a span is a call that may have led to the request.
 * @param around As `listAround`.
 * @param ended A call that ended before `server` started, used where no open call fits.
 */
function findCaller(
  scene: Scene,
  isCall: (span: Span, server: Span) => boolean,
  server: Span,
  around: readonly Span[],
  countCalls: (caller: Span, server: Span) => number,
  ended: Span | undefined,
): readonly Lost[] {
  const innermost = around[0];
  if (innermost === undefined) return [];
  // The innermost of the usual callers.
  const [caller] = listCallers(scene, server, around).toSorted(
    (one, other) => countCalls(other, server) - countCalls(one, server),
  );
  const call = around.find((span) => isCall(span, server)) ?? ended;
  const expected = scene.expectation.edges.find((edge) => edge.server === server.serviceName);
  const ofHop =
    expected === undefined &&
    (isOfHop(scene, call ?? innermost, server) ||
      // The caller has no whole call to the called service, so an unknown service stands between them. Nothing says that its spans
      // should be here.
      (call !== undefined && !hasCall(scene, call.serviceName, server.serviceName)));
  return [
    {
      client: null,
      server,
      call,
      says: `parent ${server.parentSpanId} never arrived; "${innermost.name}" of ${innermost.serviceName} in the same trace did`,
      caller: caller?.serviceName ?? expected?.client ?? null,
      isDue: around.some(
        (span) =>
          span.serviceName === (caller ?? innermost).serviceName &&
          span.endTimeUnixNano >= server.endTimeUnixNano &&
          !isOrphan(scene.graph, span) &&
          isSentWithin(scene, span, server),
      ),
      isDark: caller === undefined || call !== undefined,
      isOfHop: ofHop,
      hop: caller === undefined || ofHop ? findDarkHop(scene, expected?.client ?? null, call, server) : null,
    },
  ];
}

/**
 * Whether the capture would hold the PRODUCER span of a message, which may have ended as soon as the request of its sender began.
 * @param span A span of the sender in the trace of the message.
 */
function isSentWithin({ graph, coverage }: Scene, span: Span, { kind }: Span): boolean {
  // A single trace was fetched as a whole.
  if (kind !== 'CONSUMER' || graph.traceCount === 1) return true;
  const request = graph.view(graph.topInService(graph.rowOf(span)));
  const covered = coverage(span.serviceName);
  return covered === null || covered.from <= request.startTimeUnixNano;
}

/**
 * Finds the first call in the trace of a request whose parent is missing, to the same address and route as calls that are known to lead to
 * such requests. The caller may have given up the call before the hop called the service, or the SDK ended the span of the call too early.
 */
function lookUpEnded(open: Open, direct: readonly Lost[]): (server: Span) => Span | undefined {
  const serversOf = indexBeyondHops(open, direct);
  const traces = new Set(direct.flatMap(({ call, server }) => (call === undefined ? server.traceId : [])));
  const firstOf = new Map<string, Span>();
  // They are in the order of their starts.
  for (const call of open.clients.filter(({ traceId }) => traces.has(traceId))) {
    for (const server of serversOf.get(nameCall(call)) ?? []) {
      const key = keyFor(call.traceId, server);
      if (!firstOf.has(key)) firstOf.set(key, call);
    }
  }
  return ({ traceId, serviceName, startTimeUnixNano }) => {
    const first = firstOf.get(keyFor(traceId, serviceName));
    return first !== undefined && first.startTimeUnixNano <= startTimeUnixNano ? first : undefined;
  };
}

/** By call target and route: the services whose requests, with a missing parent, such calls led to. */
function indexBeyondHops(
  { found }: Open,
  direct: readonly Lost[],
): ReadonlyMap<string, ReadonlySet<string | null>> {
  const servers = new Map<string, Set<string | null>>();
  for (const { call, server } of [
    ...listBeforeHops({ found }).map(({ client, server }) => ({ call: client, server })),
    ...direct,
  ]) {
    if (!call || server === null) continue;
    const kind = nameCall(call);
    servers.set(kind, (servers.get(kind) ?? new Set()).add(server.serviceName));
  }
  return servers;
}

/** Calls behind which a span is missing, as an earlier rule reported. */
function listBeforeHops({ found }: Pick<Open, 'found'>): readonly Shown[] {
  return found.filter(({ id }) => id === missingClient.id).flatMap((draft) => draft.shown);
}

function nameCall(call: Span): string {
  return keyFor(call.serviceName, keyOfRequestKind(call));
}

/**
 * The HTTP client of .NET propagates the context of an Activity that it creates itself, even if no instrumentation makes a span of it
 * (DistributedContextPropagator). So a service without CLIENT spans may lack the instrumentation.
 */
function propagatesByItself(scene: Scene, caller: string | null): boolean {
  if (scene.services.isCalling(caller)) return false;
  return Array.from(scene.graph.rowsOfService(caller)).some((row) => isDotnet(scene, row));
}

function isDotnet({ graph: { store }, facts }: Scene, row: number): boolean {
  const resource = store.resourceTable[store.resources[row] ?? 0];
  return (
    resource?.attributes.get('telemetry.sdk.language') === 'dotnet' ||
    facts.scopeOf(row).startsWith('Microsoft.AspNetCore')
  );
}

/** The caller itself sent the missing span id: its span existed and was not delivered. */
export const clientSpanLost: HeaderCause = {
  finding,
  // A hop before the tap may have put its own span id into the header.
  needs: { sides: ['caller'] },
  explain: ({ client, server, headers: { sent } }) => {
    const reading = readTracecontext(sent);
    return client === null &&
      server !== null &&
      reading?.state === 'valid' &&
      reading.spanId === server.parentSpanId
      ? `the caller sent span id ${reading.spanId} itself, and its span never arrived`
      : null;
  },
};
