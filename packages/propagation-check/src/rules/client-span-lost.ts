import { readCallFacts } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';
import { findTop, isBelow, isCallerMissing, isOrphan } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { startsDuring, takeFitting } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import {
  type Check,
  type Draft,
  edgeProtocol,
  isExpectedCaller,
  isParentDue,
  type Scene,
  type Shown,
} from './check.ts';
import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';
import { finding as missingClient } from './missing-client.ts';

export const finding = defineFinding('client-span-lost', {
  kind: 'cause',
  isConclusive: false,
  shows: "the same, in a trace that A's other spans belong to",
  title: 'The caller\u2019s CLIENT span never arrived',
  why: 'Both services share the trace, but the span between them was not exported: telemetry is lost, not propagation.',
  fix: 'Let CLIENT spans end (read response bodies), flush before exit, and do not filter them before export.',
});

/**
 * SERVER spans whose parent is nowhere, in a trace that the caller's request belongs to as well: the caller's own
 * span never arrived. Undecided (`missing-client`) where another service may have stood between.
 */
export const findLostClientSpans: Check = (scene, open) => {
  const orphans = open.orphans.filter((span) => isEntry(span) && isCallerMissing(scene.graph, span));
  if (orphans.length === 0) return [];
  const clients = new Set(open.clients);
  const openAtStart = scene.graph.indexTraces(orphans, scene.thresholds.clockTolerance);
  const lost = orphans.flatMap((server) => findCaller(scene, clients, server, openAtStart(server)));
  return groupBy(lost, (item) => keyFor(item.caller, item.server.serviceName, String(item.isDark))).flatMap(
    describeEdge(scene),
  );
};

interface Lost extends Shown {
  readonly server: Span;
  readonly caller: string | null;
  /** A service of which nothing arrived may have stood between. */
  readonly isDark: boolean;
  /** The caller delivered a span around the missing one. It ended later, so the missing one would be here too. */
  readonly isDue: boolean;
}

/** `openThen`: the spans of its trace that were open when it started, the latest first. */
function findCaller(
  scene: Scene,
  clients: ReadonlySet<Span>,
  server: Span,
  openThen: Iterable<Span>,
): readonly Lost[] {
  const around = takeFitting(
    openThen,
    bounds.looks,
    bounds.around,
    (span) =>
      span.serviceName !== server.serviceName &&
      span.parentSpanId !== server.parentSpanId &&
      startsDuring(server, span, scene.thresholds) &&
      !isBelow(scene.graph, span, server) &&
      // The program outside of the data that began that may have called this service too, in the same trace.
      !isOrphan(scene.graph, findTop(scene.graph, span)),
  );
  const innermost = around[0];
  if (innermost === undefined) return [];
  const caller = around.find((span) => isExpectedCaller(scene, span.serviceName, server.serviceName));
  const expected = scene.expectation.edges.find((edge) => edge.server === server.serviceName);
  return [
    {
      client: null,
      server,
      says: `parent ${server.parentSpanId} never arrived; "${innermost.name}" of ${innermost.serviceName} in the same trace did`,
      caller: caller?.serviceName ?? expected?.client ?? null,
      isDue: around.some(
        (span) =>
          span.serviceName === (caller ?? innermost).serviceName &&
          span.endTimeUnixNano >= server.endTimeUnixNano &&
          !isOrphan(scene.graph, span),
      ),
      isDark: caller === undefined || around.some((span) => clients.has(span)),
    },
  ];
}

function describeEdge(scene: Scene): (group: readonly Lost[]) => readonly Draft[] {
  return (group) => {
    const first = group[0];
    if (first === undefined || !group.some((item) => item.isDue && isParentDue(scene, item.server)))
      return [];
    const edge = {
      severity: 'error' as const,
      client: first.caller,
      server: first.server.serviceName,
      protocol: edgeProtocol(readCallFacts(first.server).protocol),
      shown: group.map(({ client, server, says }) => ({ client, server, says })),
    };
    if (!first.isDark) {
      return propagatesByItself(scene, first.caller)
        ? [
            missingClient.report({
              ...edge,
              candidates: ['client-not-instrumented', 'client-span-lost', 'not-sampled'],
            }),
          ]
        : [finding.report({ ...edge })];
    }
    const candidates = ['client-span-lost', 'server-span-lost', 'not-sampled', 'header-rewritten'] as const;
    return [missingClient.report({ ...edge, candidates })];
  };
}

/**
 * The HTTP client of .NET sends the context of an activity that it makes itself, also where no instrumentation makes a span of
 * that (DistributedContextPropagator). A service without any CLIENT span may lack the instrumentation.
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

/** The caller itself wrote the span id that is nowhere: its span existed and was not delivered. */
export const clientSpanLost: HeaderCause = {
  finding,
  // A hop before the tap may have put its own span id into the header.
  needs: { sides: ['caller'], excludes: [] },
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
