import { countOf } from './count-of.ts';

/** `14 of 30 calls judged`. @param one The noun in the singular. */
export function formatJudged(judged: number, calls: number, one = 'call'): string {
  return `${judged === 0 ? 'none' : judged} of ${countOf(calls, one)} judged`;
}
