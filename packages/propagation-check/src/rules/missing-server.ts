import { readCallFacts } from '../calls/call-facts.ts';
import { type CallGroup, groupCalls, measureLag } from '../calls/call-group.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isExpected } from '../expect/expectation.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { pairSpans } from '../pairing/pair-spans.ts';
import { startsDuringAny } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { isAnsweredByHop, isOfTheirKind, readersOf, summarizeCalls } from './asked-kinds.ts';
import { describeDurations, isFasterThanServer } from './cached-answers.ts';
import { isCovered } from './coverage.ts';
import { defineFinding } from './define-finding.ts';
import { type Draft, protocolOf } from './draft.ts';
import type { FindingId } from './finding.ts';
import { indexCalls } from './index-calls.ts';
import { gate, rule } from './rule.ts';
import type { LooseEnds, Open, Scene } from './scene.ts';
import { areSecondSpans } from './second-spans.ts';
import { showClients } from './shown-later.ts';
import { splitCauses } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';
import { describeUnprovable } from './unprovable.ts';
import { comesFromElsewhere } from './why-apart.ts';

export const finding = defineFinding('missing-server', {
  kind: 'symptom',
  isConclusive: false,
  shows: 'A CLIENT without a child, nothing of B for it',
  title: 'The called service left no SERVER span',
  why: 'The call was made, but no span of the called service has it as parent.',
  fix: 'Check in the called service: is its server instrumented (ESM: with a loader hook), is it sampled, does its exporter deliver?',
  ofMessages: {
    title: 'The receiving service left no CONSUMER span',
    why: 'The message was sent, but no span of the receiving service has its PRODUCER span as parent or link.',
  },
});

/** Calls of one edge without a child, while other calls of the edge are whole. */
interface PartlyMissing {
  readonly client: string | null;
  readonly server: string | null;
  readonly whole: readonly CallGroup[];
  /** Answered CLIENT spans to the address and route of whole calls. */
  readonly lonely: readonly Span[];
  /** Those for which the called service delivered spans from before and after. */
  readonly covered: readonly Span[];
  /** Those so far from both ends of the capture that their SERVER spans were exported within it, if not later than usual. */
  readonly due: readonly Span[];
  readonly isExpected: boolean;
}

interface Reported extends PartlyMissing {
  /** Whether nearly all calls fit a root of the called service by time. */
  readonly isSplitByTime: () => boolean;
}

function measurePartlyMissing(scene: Scene, open: LooseEnds): readonly PartlyMissing[] {
  const edges = groupCalls(scene.groups.filter(({ clientKind }) => clientKind === 'CLIENT'));
  const readers = readersOf(scene);
  const targetOf = (span: Span): string => readers.askedOf(scene.graph.rowOf(span)).target;
  const answered = indexCalls(
    open.clients.filter(
      (span) =>
        scene.facts.outcomeOf(scene.graph.rowOf(span)) === 'answered' &&
        scene.shared.findUnprovable(span) === null,
    ),
    targetOf,
  );
  return edges.flatMap((whole): readonly PartlyMissing[] => {
    const [{ client, server }] = whole;
    const targets = answered.targetsOf(client);
    if (targets.size === 0) return [];
    const asked = summarizeCalls(readers, whole, targets);
    const lonely = answered.callsTo(client, new Set(asked.kinds.keys())).filter((span) => {
      const kinds = asked.kinds.get(targetOf(span));
      return kinds !== undefined && isOfTheirKind(kinds, span) && !isAnsweredByHop(span, asked);
    });
    if (lonely.length === 0) return [];
    const lag = measureLag(whole, 'server');
    return [
      {
        client,
        server,
        whole,
        lonely,
        covered: lonely.filter((span) =>
          isCovered(scene, server, span.startTimeUnixNano, span.endTimeUnixNano + lag),
        ),
        due: lonely.filter((span) => isAwayFromEnds(scene, span, lag)),
        isExpected: isExpected(scene.expectation, client, server),
      },
    ];
  });
}

function fitRoots(scene: Scene, { roots }: Open, { server, lonely }: PartlyMissing): boolean {
  const { graph, thresholds } = scene;
  const requests = roots
    .select(startsDuringAny(graph, lonely, thresholds), server)
    .filter((root) => !isHealthProbe(root));
  const mayBeTheirs = (call: Span, root: Span): boolean =>
    compareRequests(call, root) !== 'no' && !comesFromElsewhere(scene, call, root);
  const pairs = pairSpans(lonely, requests, mayBeTheirs, thresholds);
  return pairs.length >= lonely.length * thresholds.splitByTimeShare;
}

const causesBetween: readonly FindingId[] = ['not-sampled', 'server-span-lost', 'server-not-instrumented'];
/** At an end of the capture lost spans come first: an exporter that fails delivers nothing from then on. */
const causesAtEnds: readonly FindingId[] = ['server-span-lost', 'not-sampled', 'server-not-instrumented'];

/** The calls by which the edge is judged: none if the capture may end between the two sides of every call. */
function listJudged({ covered, due }: PartlyMissing): readonly Span[] {
  return covered.length > 0 ? covered : due;
}

/** Whether the SERVER span of a call was exported within the capture, if not later than usual. */
function isAwayFromEnds({ capture, thresholds: { exportDelay } }: Scene, call: Span, lag: bigint): boolean {
  return (
    call.startTimeUnixNano > capture.from + exportDelay &&
    call.endTimeUnixNano + lag < capture.to - exportDelay
  );
}

/** Calls like the whole ones, whose SERVER spans the called service may have delivered before or after the capture. */
export function listUncoveredCalls(
  scene: Scene,
  looseEnds: LooseEnds,
): readonly Pick<PartlyMissing, 'client' | 'server' | 'whole' | 'lonely'>[] {
  return measurePartlyMissing(scene, looseEnds).filter(
    ({ client, server, whole, lonely, covered, due }) =>
      covered.length + due.length === 0 &&
      client !== server &&
      !areSecondSpans(scene, lonely, whole) &&
      !isFasterThanServer(scene, lonely, whole),
  );
}

/**
 * Answered CLIENT spans without a child, although other calls to the same address and route are whole, so the peer emits spans. A cache in
 * between looks the same, so this is an error only if the edge is expected. Without whole calls, calls to peers that are not instrumented
 * look the same and are left out.
 */
export const partlyMissingServers = rule<Reported>({
  finding,
  measure: (scene, open) =>
    measurePartlyMissing(scene, open).map((missing) => ({
      ...missing,
      isSplitByTime: () => fitRoots(scene, open, missing),
    })),
  gates: [
    gate(
      'the called service delivered spans from before and after the call, or the capture begins and ends longer before and after it than an export takes',
      ({ covered, due }) => covered.length + due.length > 0,
      ({ lonely }) => `of none of ${countOf(lonely.length, 'call')}: the capture may be cut`,
    ),
    gate(
      'the calls are not second spans of whole ones',
      ({ lonely, whole }, scene) => !areSecondSpans(scene, lonely, whole),
      ({ lonely }) => `each of ${lonely.length} lies beside a whole call of the same request`,
    ),
    gate(
      'the answers do not come from a cache',
      (missing, scene) => !isFasterThanServer(scene, listJudged(missing), missing.whole),
      (missing, scene) => describeDurations(scene, listJudged(missing), missing.whole),
    ),
  ],
  looseEnds: ({ lonely }) => lonely,
  report: ({ client, server, lonely, covered, isExpected, isSplitByTime }) => {
    const isSplit = isSplitByTime();
    return (isSplit ? splitTrace : finding).report({
      severity: isExpected ? 'error' : 'warning',
      ...describe(client, server, lonely),
      candidates: isSplit ? splitByTimeCauses : covered.length > 0 ? causesBetween : causesAtEnds,
    });
  },
  whyNot: (scene, _, looseEnd) => {
    if (looseEnd.kind !== 'CLIENT') return null;
    const outcome = readOutcome(looseEnd);
    if (outcome !== 'answered')
      return outcome === 'unreached'
        ? 'the call failed: it may not have reached a server'
        : 'nothing says that the call was answered';
    const unprovable = scene.shared.findUnprovable(looseEnd);
    if (unprovable !== null) return describeUnprovable(unprovable);
    const readers = readersOf(scene);
    const { target } = readers.askedOf(scene.graph.rowOf(looseEnd));
    const asked = summarizeCalls(readers, scene.groupsFrom(looseEnd.serviceName), new Set([target]));
    const kinds = asked.kinds.get(target);
    if (kinds === undefined)
      return 'no call to the same target is whole, and no expectation names the called service';
    return isOfTheirKind(kinds, looseEnd)
      ? 'the called service gave no such answer elsewhere: a hop may have answered'
      : `${countOf(kinds.calls, 'call')} to the same target ${kinds.calls === 1 ? 'is' : 'are'} whole, none of the same route`;
  },
});

export const splitByTimeCauses: readonly FindingId[] = [...splitCauses, 'not-sampled'];

export function describe(
  client: string | null,
  server: string | null,
  lonely: readonly Span[],
): Pick<Draft, 'client' | 'server' | 'protocol' | 'shown'> {
  return {
    client,
    server,
    protocol: protocolOf(lonely[0]),
    shown: showClients(lonely, (span) => {
      const of = server ?? 'the peer';
      return span.kind === 'PRODUCER'
        ? `PRODUCER ${span.spanId} sent a message, and no span of ${of} has it as parent or link`
        : `${span.kind} ${span.spanId} ${readCallFacts(span).protocol === 'unknown' ? `names ${of} as its peer` : 'was answered'}, and no SERVER span of ${of} has it as its parent`;
    }),
  };
}
