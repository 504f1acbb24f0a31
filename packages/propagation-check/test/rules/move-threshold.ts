import { isDeepStrictEqual } from 'node:util';
import {
  replaceThresholds,
  type Threshold,
  type Thresholds,
  thresholds,
  thresholdTable,
} from '../../src/rules/thresholds.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

/** A number to move by a quarter, and the drawing whose result must change. */
export interface Move {
  readonly name: string;
  readonly direction: 'lower' | 'higher';
  readonly value: number | bigint;
  readonly fixture: string;
}

export function listMoves(): readonly Move[] {
  return Object.entries<Threshold>(thresholdTable).flatMap(([name, threshold]) =>
    (['lower', 'higher'] as const).map((direction) => ({
      name,
      direction,
      value: move(threshold, direction),
      fixture: threshold.pinnedBy[direction],
    })),
  );
}

/** Moves by a quarter; a count by at least one, and a share to at most 1. */
function move({ value, unit }: Threshold, direction: Move['direction']): number | bigint {
  if (typeof value === 'bigint') return direction === 'lower' ? (value * 3n) / 4n : (value * 5n) / 4n;
  const moved = direction === 'lower' ? value * 0.75 : value * 1.25;
  if (unit === 'count') return direction === 'lower' ? Math.floor(moved) : Math.ceil(moved);
  return unit === 'share' ? Math.min(1, moved) : moved;
}

export function movesAnything({ name, value, fixture }: Move): boolean {
  return !isDeepStrictEqual(judge(fixture, replaceThresholds({ [name]: value })), judge(fixture, thresholds));
}

function judge(fixture: string, numbers: Thresholds) {
  const { spans, expectation, headers } = readFixtureDrawing(`${fixture}.txt`);
  const { verdict, edges, findings } = checkTraces(spans, { expectation, headers, thresholds: numbers });
  return { verdict, edges, findings };
}
