/** A share of intact calls, with its 95 % confidence interval. */
export interface Rate {
  readonly intact: number;
  /** The calls among which `intact` are intact. */
  readonly of: number;
  /** `value`, `low` and `high` are from 0 to 1. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 0.975 quantile of the normal distribution, for 95 % on both sides. Source: NIST/SEMATECH e-Handbook, 1.3.6.7.1. */
const z = 1.959964;

/**
 * The Wilson score interval. It is never empty, even where all calls are intact, and stays within 0 and 1.
 * Source: E. B. Wilson, JASA 22 (1927), 209–212; NIST/SEMATECH e-Handbook, 7.2.4.1.
 * @returns null where there is no call.
 */
export function estimateRate(intact: number, of: number): Rate | null {
  if (of === 0) return null;
  const value = intact / of;
  const spread = z ** 2 / of;
  const middle = (value + spread / 2) / (1 + spread);
  const half = Math.sqrt(value * (1 - value) * spread + spread ** 2 / 4) / (1 + spread);
  // Rounding must not move a bound past the value, or beyond 0 or 1.
  const low = intact === 0 ? 0 : Math.min(middle - half, value);
  const high = intact === of ? 1 : Math.max(middle + half, value);
  return { intact, of, value, low, high };
}

/** How a rate has changed, as far as the counts prove it. */
export type Change = 'better' | 'worse' | 'unproven';

/** Two intervals that overlap prove no change. */
export function compareRates(before: Rate, now: Rate): Change {
  if (now.low > before.high) return 'better';
  if (now.high < before.low) return 'worse';
  return 'unproven';
}
