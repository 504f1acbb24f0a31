export const dayMs = 86_400_000;

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', dayMs],
]);

/** A year. */
export const longestDays = 366;

/** Examples of accepted durations, for messages. */
export const durationExamples = '500ms, 15s, 15m, 2h or 1d';

/** Reads `500ms`, `15s`, `15m`, `2h` or `1d`. @returns Milliseconds, above 0 and at most a year; null for any other text. */
export function readDuration(text: string): number | null {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (units.get(unit) ?? Number.NaN);
  return milliseconds > 0 && milliseconds <= longestDays * dayMs ? milliseconds : null;
}
