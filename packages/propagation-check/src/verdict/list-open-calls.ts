import type { EdgeProtocol } from '../calls/call-group.ts';
import { isExpected, isOptional } from '../expect/expectation.ts';
import { writeExpectOption } from '../expect/write-expect-option.ts';
import { type Draft, protocolOf } from '../rules/draft.ts';
import { keepLinks, leftOut } from '../rules/left-out-links.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import { countOf } from '../util/count-of.ts';
import { appendFacts } from './append-facts.ts';
import { describeLate, describeShortly, describeWhatDecides, mayBeOneEdge } from './describe-unreceived.ts';
import { listContinued } from './list-continued.ts';
import { listFannedOut } from './list-fanned-out.ts';
import type { SilentCalls, UnjudgedCalls } from './list-unjudged.ts';
import type { DescribedCalls, OpenCalls } from './open-calls.ts';
import type { UnjudgedEdge } from './result.ts';

/** Calls that are in no finding. */
interface LeftOut {
  readonly unanswered: readonly UnjudgedCalls[];
  /** Messages that nobody received. */
  readonly unreceived: readonly UnjudgedCalls[];
  readonly uncovered: readonly SilentCalls[];
  /** Calls to addresses for which a finding reports the other calls. */
  readonly beside: readonly SilentCalls[];
}

/** Calls of edges that no finding reports. */
export function listOpenCalls(
  scene: Scene,
  drafts: readonly Draft[],
  roots: LooseEnds['roots'],
  { unanswered, unreceived, uncovered, beside }: LeftOut,
): readonly OpenCalls[] {
  const open = [
    ...uncovered.map((one) => toOpenUncovered(scene, one)),
    ...beside.map(toOpenBeside),
    ...unreceived.flatMap((one) => toOpenMessages(scene, one)),
    ...unanswered.flatMap((one) => toOpenUnlinked(scene, one)),
    ...listContinued(scene, drafts),
    ...listFannedOut(scene, roots, drafts),
  ];
  return open.map((one) => ({ ...one, protocol: findProtocol(scene, one) }));
}

/** The protocol of the edge's whole calls: one side alone may not show it. */
function findProtocol({ groupsBetween }: Scene, { client, server, spans }: DescribedCalls): EdgeProtocol {
  const own = protocolOf(spans[0]);
  const known = groupsBetween(client, server).map(({ protocol }) => protocol);
  return known.includes(own) ? own : (known[0] ?? own);
}

function toOpenUncovered(
  { expectation }: Scene,
  { client, server, peer, calls, spans }: SilentCalls,
): DescribedCalls {
  return {
    ...{ client, server, calls, spans },
    says: isExpected(expectation, client, server)
      ? `${server} delivered no span from the time of ${countOf(calls, 'call')} to ${peer}: ` +
        'wait until it has exported them, or see why it does not, and check again'
      : null,
  };
}

function toOpenBeside({ client, server, calls, spans }: SilentCalls): DescribedCalls {
  return { client, server, calls, spans, says: null };
}

function toOpenMessages(
  { expectation, groupsBetween, thresholds }: Scene,
  { edge, spans, isMostlyReceived, mayBeUnlinked }: UnjudgedCalls,
): readonly DescribedCalls[] {
  const { client, server, calls } = edge;
  if (server === undefined || edge.why === 'waiting') return [];
  const isNamed = isExpected(expectation, client, server);
  // Without a whole message between the two services, nothing shows that this service is the receiver.
  const isSeen = groupsBetween(client, server).some(({ clientKind }) => clientKind === 'PRODUCER');
  if (!isNamed && (isMostlyReceived === true || !isSeen || isOptional(expectation, client, server)))
    return [];
  if (mayBeUnlinked === true)
    return [{ ...{ client, server, calls, spans }, says: describeUnlinkedMessages(server) }];
  const option = isNamed ? null : writeExpectOption(client ?? 'SENDER', server);
  const isOnBothSides = isNamed && (edge.began ?? 0) > 0;
  const says = describeMessages(edge, server, option, thresholds);
  return [{ client, server, calls, spans, says, isOnBothSides }];
}

function describeMessages(
  edge: UnjudgedEdge,
  server: string,
  option: string | null,
  thresholds: Thresholds,
): string {
  const { peer, calls, began = 0, why, facts = [] } = edge;
  if (why === 'short-batch') return describeShortly(edge);
  const unread = `no CONSUMER span of ${server} has ${countOf(calls, 'message')} to ${peer} as parent or link`;
  const suffix = appendFacts(facts);
  return began > 0
    ? `${unread}, and ${countOf(began, 'message')} of it from there began traces: ${mayBeOneEdge}${suffix}; ${describeWhatDecides(edge, option, thresholds)}${describeLate(edge)}`
    : `${unread}: see that each of its instances exports, and that its sampler follows the sender (OTEL_TRACES_SAMPLER=parentbased_always_on); where it skips ` +
        `messages on purpose, list the edge under edges: may in --expectations${suffix}${describeLate(edge)}`;
}

function toOpenUnlinked(
  { expectation, shared, groupsBetween }: Scene,
  { edge, spans }: UnjudgedCalls,
): readonly DescribedCalls[] {
  const [first] = spans;
  if (edge.why !== 'dropped-links' || first === undefined) return [];
  const server = shared.findUnprovable(first)?.service ?? null;
  const { client, calls } = edge;
  if (groupsBetween(client, server).length === 0 || isOptional(expectation, client, server)) return [];
  return [{ ...{ client, server, calls, spans }, says: describeUnlinked(calls, server) }];
}

function describeUnlinkedMessages(server: string): string {
  return `links of messages of ${server} are ${leftOut}, so that nothing tells which it received: ${keepLinks}`;
}

export function describeUnlinked(calls: number, server: string | null): string {
  return `links of ${countOf(calls, 'request')} of ${server} that fit its calls are ${leftOut}: ${keepLinks}`;
}
