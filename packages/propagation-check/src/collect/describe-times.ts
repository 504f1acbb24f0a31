import type { SpanStore } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy } from '../util/group-by.ts';

/** Plausible times of spans, in milliseconds since the epoch. */
const earliest = Date.UTC(2000);
const latest = Date.UTC(2100);

/** Units that are written by mistake instead of nanoseconds, and their number in a millisecond. */
const units = [
  { unit: 'milliseconds', inMillisecond: 1, factor: '1,000,000' },
  { unit: 'microseconds', inMillisecond: 1_000, factor: '1,000' },
] as const;

const nanosecondsInMillisecond = 1e6;

/** From here on a time can only be in nanoseconds. */
const firstPlausible = latest * units[1].inMillisecond;

/** Notes spans whose times lie in 1970 as nanoseconds, but are plausible in another unit. */
export function describeTimes({ size, origin, starts }: SpanStore): readonly string[] {
  const first = Number(origin);
  const found = [];
  for (let row = 0; row < size; row += 1) {
    const value = first + (starts[row] ?? 0);
    // Nearly all times are plausible.
    if (value >= firstPlausible) continue;
    const unit = units.find(
      ({ inMillisecond }) => value >= earliest * inMillisecond && value < latest * inMillisecond,
    );
    if (unit !== undefined) found.push({ value, ...unit });
  }
  const inOrder = found.sort((one, other) => one.value - other.value);
  return groupBy(inOrder, ({ unit }) => unit).map((alike) => {
    const [{ value, unit, factor }] = alike;
    const read = new Date(value / nanosecondsInMillisecond).toISOString();
    const spans = countOf(alike.length, 'span');
    return `times of ${spans} look like ${unit}, and were read as nanoseconds (${read}): OTLP has nanoseconds since 1970, so multiply them by ${factor}`;
  });
}
