import type { Span } from '../span/span.ts';
import { areAwaited } from './awaited.ts';
import { isMoreThanChance } from './chance.ts';
import { endsWithin, type Pair, pairSpans, startsDuring } from './pair.ts';

/** Fewer pairs than these may be a coincidence whatever the comparison says. */
const fewestPairs = 5;

/**
 * Pairs requests of one route that lack a call with calls that hang elsewhere, when those requests waited for them.
 * None where caches, timers or chance explain it as well.
 *
 * @param bereft requests of the route without a call
 * @param calls CLIENT spans that hang elsewhere
 * @param own how many of these calls are known to be in the right place
 */
export function pairDisplaced(bereft: readonly Span[], calls: readonly Span[], own = 0): readonly Pair[] {
  const pairs = pairContained(bereft, calls);
  const awaited = areAwaited(pairs.map(({ client: request, server: call }) => ({ request, call })));
  // A cache leaves requests without calls, too: then most of them contain none.
  if (!awaited || pairs.length < bereft.length * 0.9) return [];
  const isAlone = calls.length - own <= pairs.length * 1.1;
  const isSure =
    (isAlone && isOneToOne(bereft, calls, pairs)) ||
    (pairs.length >= fewestPairs &&
      isMoreThanChance(calls, pairs.length, (moved) => pairContained(bereft, moved).length));
  return isSure ? pairs : [];
}

/** So many requests are not by chance as many as the calls, although they overlap. */
const many = 15;

/**
 * Whether the requests and the calls correspond, not only as a whole. Where they overlap, as many of both tell it, unless they
 * are few and messages, which are often sent by timers.
 */
function isOneToOne(bereft: readonly Span[], calls: readonly Span[], pairs: readonly Pair[]): boolean {
  if (pairs.filter((pair) => pair.unique).length * 2 >= pairs.length || pairs.length >= many) return true;
  const isExact = pairs.length === bereft.length && pairs.length === calls.length;
  return isExact && calls.every((call) => call.kind === 'CLIENT');
}

function pairContained(requests: readonly Span[], calls: readonly Span[]): readonly Pair[] {
  return pairSpans(
    requests,
    calls,
    (request, call) =>
      request.traceId !== call.traceId && startsDuring(call, request) && endsWithin(call, request),
  );
}
