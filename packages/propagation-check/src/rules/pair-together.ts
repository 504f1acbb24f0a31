import type { Pair } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import type { Group } from '../util/group-by.ts';

/**
 * A request may make one of several calls, so that many requests lack each of them: where the calls of no case pair up alone, those of all
 * cases are paired together.
 * @param alone The cases of one service.
 * @param callsOf The calls of a case that may be in pairs.
 */
export function pairTogether<Case extends { readonly pairs: readonly Pair[] }>(
  alone: readonly Case[],
  callsOf: (one: Case) => readonly Span[],
  pair: (cases: Group<Case>) => readonly Pair[],
): readonly Case[] {
  const left = new Set(alone.filter((one) => one.pairs.length === 0 && callsOf(one).length > 0));
  const [first, second, ...others] = left;
  if (first === undefined || second === undefined) return alone;
  const pairOf = new Map(pair([first, second, ...others]).map((one) => [one.server, one]));
  return alone.map((one) =>
    left.has(one) ? { ...one, pairs: callsOf(one).flatMap((call) => pairOf.get(call) ?? []) } : one,
  );
}
