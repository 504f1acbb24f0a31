import type { Span } from 'propagation-check';

/** How far two recorded times may contradict each other before they count, in milliseconds. */
const tolerances = {
  /** A span's own end is its start and what a monotonic clock has counted since; SDKs start spans at whole milliseconds. */
  span: 10,
  /** Tolerance within one process: SDKs read the wall clock and the monotonic one in turn, and a busy machine can stop them in between. */
  process: 100,
  /** When B begins: clocks of two hosts differ by a few milliseconds, and what people notice is clock-skew. */
  start: 100,
  /** A server ends its span after the last byte has left, so B's outlives A's by 5 to 20 ms, by more on a busy machine. */
  end: 500,
} as const;

export interface Contradiction {
  readonly expected: string;
  readonly found: string;
}

/** Contradictions to: A's CLIENT span lies within A's SERVER span, and was open when B's SERVER span began. */
export function findTimingContradictions(
  serverOfA: Span,
  client: Span,
  serverOfB: Span,
): readonly Contradiction[] {
  const a = { what: "A's SERVER span", span: serverOfA };
  const c = { what: "A's CLIENT span", span: client };
  const b = { what: "B's SERVER span", span: serverOfB };
  return [
    ...[a, c, b].flatMap((one) => mustNotPrecede(endOf(one), startOf(one), tolerances.span)),
    ...mustNotPrecede(startOf(c), startOf(a), tolerances.process),
    ...mustNotPrecede(endOf(a), endOf(c), tolerances.process),
    ...mustNotPrecede(startOf(b), startOf(c), tolerances.start),
    ...mustNotPrecede(endOf(c), startOf(b), tolerances.start),
    ...mustNotPrecede(endOf(c), endOf(b), tolerances.end),
  ];
}

interface Named {
  readonly what: string;
  readonly span: Span;
}

interface Moment {
  readonly what: string;
  readonly time: bigint;
}

function startOf({ what, span }: Named): Moment {
  return { what: `the start of ${what}`, time: span.startTimeUnixNano };
}

function endOf({ what, span }: Named): Moment {
  return { what: `the end of ${what}`, time: span.endTimeUnixNano };
}

function mustNotPrecede(later: Moment, earlier: Moment, toleranceMs: number): readonly Contradiction[] {
  const early = earlier.time - later.time;
  if (early <= BigInt(toleranceMs) * 1_000_000n) return [];
  return [
    {
      expected: `${later.what} is not before ${earlier.what} (tolerance ${toleranceMs} ms)`,
      found: `it is ${early / 1_000_000n} ms before it`,
    },
  ];
}
