import { nameCall } from '../calls/name-call.ts';
import { type Expectation, isOptional } from '../expect/expectation.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import { isToleratedEdge } from '../rules/tolerated-peer.ts';
import { formatJudged } from '../util/format-judged.ts';
import { groupBy, mapBy } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';
import { areMostlyJudged } from './are-mostly-judged.ts';
import { leavesOpen } from './leaves-open.ts';
import type { OpenCalls } from './open-calls.ts';
import { type Finding, nameEdge, type Place, type Result, type Undecided } from './result.ts';

/**
 * Edges on which too few calls are judged: warnings leave calls open, calls lack their other side, or a warning doubts whole calls. Whole
 * calls on other edges do not help. A few open calls are normal: the end of any capture cuts some off.
 *
 * @param findings Findings that are neither known nor tolerated.
 */
export function listOpenEdges(
  { edges, findings }: Pick<Result, 'edges' | 'findings'>,
  openCalls: readonly OpenCalls[],
  expectation: Expectation,
  thresholds: Thresholds,
): readonly Undecided[] {
  const doubted = new Set(edges.filter(({ doubtful }) => doubtful !== undefined).map(nameEdge));
  const warnings = findings.filter(
    (finding) =>
      !isOptional(expectation, finding.client, finding.server) &&
      ((leavesOpen(finding) && finding.count > 0) ||
        (finding.doubt !== undefined && doubted.has(nameEdge(finding)))),
  );
  const broken = new Set(edges.filter((edge) => edge.broken > 0).map(nameEdge));
  // `true`: the callers of open calls have spans.
  const open = openCalls.filter(
    (one) => one.says !== null && !broken.has(nameEdge(one)) && !isToleratedEdge(expectation, one, true),
  );
  const warningsOf = mapBy(warnings, nameEdge);
  const openOf = mapBy(open, nameEdge);
  const edgesOf = mapBy(edges, nameEdge);
  return groupBy<Place>([...warnings, ...open], nameEdge).flatMap(
    ([{ client, server, protocol }]): readonly Undecided[] => {
      const name = nameEdge({ client, server, protocol });
      const warned = warningsOf.get(name) ?? [];
      const left = openOf.get(name) ?? [];
      const ofEdge = edgesOf.get(name) ?? [];
      const seen = sumOf(ofEdge.map(({ calls }) => calls));
      const isDoubted = warned.some(({ doubt }) => doubt !== undefined);
      const judged = seen - (isDoubted ? sumOf(ofEdge.map(({ doubtful = 0 }) => doubtful)) : 0);
      const leftOpen = sumOf(left.map(({ calls }) => calls));
      const calls = seen + leftOpen + sumOf(warned.filter(leavesOpen).map(({ count }) => count));
      if (areMostlyJudged(judged, calls, thresholds)) return [];
      const most = warned.toSorted((one, other) => other.count - one.count).at(0);
      const reasons = [
        ...(most === undefined ? [] : [describeWarning(most, judged)]),
        ...left.flatMap(({ says }) => says ?? []),
      ];
      const says = `${formatJudged(judged, calls, nameCall({ protocol }))}${most === undefined ? ':' : ''} ${reasons.join('; ')}`;
      // A baseline that accepts the warning closes the edge, unless the open calls that no warning reports are too many on their own.
      const isByWarnings =
        most !== undefined && (leftOpen === 0 || areMostlyJudged(seen, seen + leftOpen, thresholds));
      return [{ client, server, protocol, says, ...(isByWarnings ? { finding: most.id } : {}) }];
    },
  );
}

function describeWarning({ id, decide: [step] = [] }: Finding, judged: number): string {
  const decides = step === undefined ? '' : `; to decide: ${step.split('\n')[0]}`;
  return `(${id} leaves ${judged === 0 ? 'them' : 'the others'} open)${decides}`;
}
