import type { Span } from '../span/span.ts';
import { endsWithin } from './pair.ts';

/** A request, and a call that may have been made for it. */
export interface Awaiting {
  readonly request: Span;
  readonly call: Span;
}

/**
 * Whether requests waited for these calls: the calls ended within them and filled a good part of them, or ended
 * shortly before they did, or every one began as soon as its request had. Calls of a timer fall into requests too,
 * but anywhere.
 */
export function areAwaited(pairs: readonly Awaiting[]): boolean {
  const contained = pairs.filter(({ request, call }) => endsWithin(call, request));
  if (pairs.length === 0 || contained.length < pairs.length * 0.9) return false;
  const fill = median(pairs.map(({ request, call }) => measureFill(request, call)));
  const rest = median(
    pairs.map(({ request, call }) =>
      ratio(request.endTimeUnixNano - call.endTimeUnixNano, durationOf(request)),
    ),
  );
  const delays = pairs.map(({ request, call }) =>
    ratio(call.startTimeUnixNano - request.startTimeUnixNano, durationOf(request)),
  );
  const isPrompt = pairs.length > 1 && median(delays) <= 0.1 && delays.every((delay) => delay <= 0.25);
  return fill >= 0.25 || rest <= 0.2 || isPrompt;
}

/** How much of a request a call took: 1 where it took all of it. */
export function measureFill(request: Span, call: Span): number {
  return ratio(durationOf(call), durationOf(request));
}

function durationOf(span: Span): bigint {
  return span.endTimeUnixNano - span.startTimeUnixNano;
}

function ratio(part: bigint, whole: bigint): number {
  return whole <= 0n ? 1 : Number(part) / Number(whole);
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] ?? 0;
}
