import type { Label } from '../score-capture.ts';
import type { EdgeAnswer } from './answer.ts';

/**
 * How an answer compares with a label. `named`: the answer gives the cause on a broken edge. `among candidates`: the cause is one of its
 * candidates there. `found`: it reports a broken edge without a cause. `wrong`: it reports only other edges or other causes.
 */
export type Grade = 'quiet' | 'false alarm' | 'named' | 'among candidates' | 'found' | 'wrong' | 'missed';

/** The best grade of the errors that the tool reports on the broken edges. */
export function gradeAnswer(edges: readonly EdgeAnswer[], label: Label): Grade {
  const broken = edges.filter(({ verdict }) => verdict === 'broken');
  if (label.verdict === 'healthy') return broken.length === 0 ? 'quiet' : 'false alarm';
  if (broken.length === 0) return 'missed';
  const onEdge = broken.filter((edge) => isOnBrokenEdge(edge, label));
  const { truth } = label;
  if (onEdge.some(({ cause }) => cause === truth)) return 'named';
  if (onEdge.some(({ candidates }) => candidates?.some((cause) => cause === truth)))
    return 'among candidates';
  return onEdge.some(({ cause, candidates = [] }) => cause == null && candidates.length === 0)
    ? 'found'
    : 'wrong';
}

/** A fault inside a service has no labelled edges: any edge may then show it. A service of null matches every service. */
function isOnBrokenEdge({ client, server }: EdgeAnswer, { brokenEdges }: Label): boolean {
  if (brokenEdges.length === 0) return true;
  return brokenEdges.some(
    (edge) =>
      (client !== null || server !== null) &&
      (client === null || client === edge.client) &&
      (server === null || server === edge.server),
  );
}
