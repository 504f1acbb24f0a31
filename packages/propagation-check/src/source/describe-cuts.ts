import { countOf } from '../util/count-of.ts';

/** Says which seconds a search read only in part. @param cuts Their starts, in milliseconds; a second may occur more than once. */
export function describeCuts(name: string, cuts: readonly number[]): readonly string[] {
  const seconds = new Set(cuts);
  const [first, ...others] = seconds;
  if (first === undefined) return [];
  const more = others.length === 0 ? '' : ` and of ${countOf(others.length, 'other second')}`;
  return [
    `${name} answers only a part of the traces of the second from ${new Date(first).toISOString()} on${more}: ` +
      'the server limits its answers to fewer than it has; raise its limit, or read an export of its traces with propagation-check file',
  ];
}
