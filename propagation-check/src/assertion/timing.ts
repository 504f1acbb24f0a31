import type { Span } from '../span.ts';

/**
 * How far two recorded times may contradict each other before they count, in milliseconds.
 * A server ends its span after the last byte has left, so B's span outlives A's by 5 to 20 ms as a rule and by more on
 * a busy machine; clocks of two hosts differ by a few milliseconds. Half a second is beyond both.
 */
export const clockToleranceMs = 500;

const tolerance = BigInt(clockToleranceMs) * 1_000_000n;

export interface Contradiction {
  readonly expected: string;
  readonly found: string;
}

/** What contradicts that A's CLIENT span lies within A's SERVER span and that it was open when B's SERVER span began. */
export function findTimingContradictions(
  serverOfA: Span,
  client: Span,
  serverOfB: Span,
): readonly Contradiction[] {
  const a = { what: "A's SERVER span", span: serverOfA };
  const c = { what: "A's CLIENT span", span: client };
  const b = { what: "B's SERVER span", span: serverOfB };
  return [
    ...[a, c, b].flatMap(({ what, span }) =>
      mustNotPrecede(`the end of ${what}`, span.endTimeUnixNano, `its start`, span.startTimeUnixNano),
    ),
    ...mustLieWithin(c, a),
    ...mustLieWithin(b, c),
  ];
}

interface Named {
  readonly what: string;
  readonly span: Span;
}

function mustLieWithin(inner: Named, outer: Named): readonly Contradiction[] {
  return [
    ...mustNotPrecede(
      `the start of ${inner.what}`,
      inner.span.startTimeUnixNano,
      `the start of ${outer.what}`,
      outer.span.startTimeUnixNano,
    ),
    ...mustNotPrecede(
      `the end of ${outer.what}`,
      outer.span.endTimeUnixNano,
      `the end of ${inner.what}`,
      inner.span.endTimeUnixNano,
    ),
  ];
}

function mustNotPrecede(
  later: string,
  laterTime: bigint,
  earlier: string,
  earlierTime: bigint,
): readonly Contradiction[] {
  const early = earlierTime - laterTime;
  if (early <= tolerance) return [];
  return [
    {
      expected: `${later} is not before ${earlier} (tolerance ${clockToleranceMs} ms)`,
      found: `it is ${early / 1_000_000n} ms before it`,
    },
  ];
}
