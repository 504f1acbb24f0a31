import { countOf } from './count-of.ts';

/** `14 of 30 calls judged`. */
export function tellJudged(judged: number, calls: number): string {
  return `${judged === 0 ? 'none' : judged} of ${countOf(calls, 'call')} judged`;
}
