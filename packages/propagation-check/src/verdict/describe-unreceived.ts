import type { Thresholds } from '../rules/thresholds.ts';
import { countOf } from '../util/count-of.ts';
import type { UnjudgedEdge } from './result.ts';

/** Messages that nobody received, and messages of their receiver that began traces. */
type Sides = Pick<UnjudgedEdge, 'calls' | 'late' | 'began'>;

export const mayBeOneEdge =
  'two sides of one edge whose context is lost, or each has its other side elsewhere';

/**
 * The step that decides whether the messages at both sides are the same.
 * @param option The option that names the edge; null if the edge is named already.
 */
export function describeWhatDecides(
  { calls, late = 0, began = 0 }: Sides,
  option: string | null,
  thresholds: Thresholds,
): string {
  const sent = calls + late;
  const areEnough = Math.min(sent, began) >= thresholds.fewestLostMessages;
  if (areEnough && sent === began && option !== null) return `name the edge with ${option} and check again`;
  const doubt = areEnough ? 'the data alone do not tell' : 'so few may be a coincidence';
  return `${doubt}: ${lookIntoBroker}, or check again with more of them`;
}

/** Describes the messages that batches do not link to. */
export function describeShortly({ facts = [], server }: Pick<UnjudgedEdge, 'facts' | 'server'>): string {
  const [numbers, ...limits] = facts;
  return `${numbers}, and as many others, sent before, are in none: ${limits.map((limit) => `${limit}, or `).join('')}the sender wrote no context into these, or ${server} did not read it: ${lookIntoBroker}`;
}

const lookIntoBroker = 'look at such a message in the broker';

/** Messages sent at the end of the capture are not mentioned if as many began traces. */
export function describeLate({ calls, late = 0, began = 0 }: Sides): string {
  return late === 0 || calls + late <= began
    ? ''
    : `; ${countOf(late, 'more message')} ${late === 1 ? 'was' : 'were'} sent at the end of the capture and may not have been received yet`;
}
