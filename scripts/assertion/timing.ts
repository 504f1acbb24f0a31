import type { Span } from 'propagation-check';

/** Contradictions between two recorded times are ignored up to these tolerances, in milliseconds. */
const tolerances = {
  /** Within one span: its end is its start plus a duration of the monotonic clock, and SDKs start spans at whole milliseconds. */
  span: 10,
  /** Within one process: SDKs read the wall clock and then the monotonic clock, and a busy machine can interrupt them in between. */
  process: 100,
  /** At B's start: the clocks of two hosts differ by a few milliseconds. A larger difference is the finding `clock-skew`. */
  start: 100,
  /** At B's end: a server ends its span after it has sent the last byte, so B's span ends 5 to 20 ms after A's, later on a busy machine. */
  end: 500,
} as const;

export interface Contradiction {
  readonly expected: string;
  readonly found: string;
}

/** Finds contradictions to: A's CLIENT span is within A's SERVER span, and B's SERVER span starts during A's CLIENT span. */
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
      found: `${later.what} is ${early / 1_000_000n} ms before ${earlier.what}`,
    },
  ];
}
