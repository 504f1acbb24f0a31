import { suggestName } from '../util/suggest-name.ts';
import type { CheckSettings, Spans } from './check.ts';

/** A setting as its reader expects it. */
interface Shape {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

const object: Shape = {
  expected: 'an object, as `readExpectation` returns it',
  fits: (value) => typeof value === 'object' && value !== null && 'edges' in value,
};
const milliseconds: Shape = {
  expected: 'milliseconds, 0 or more',
  fits: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
};

const shapes: Readonly<Record<keyof CheckSettings, Shape>> = {
  expect: {
    expected: 'a path such as "web -> orders", or several',
    fits: (value) => [value].flat().every((path) => typeof path === 'string'),
  },
  expectation: object,
  waitMs: milliseconds,
  settleMs: milliseconds,
  signal: { expected: 'an AbortSignal', fits: (value) => value instanceof AbortSignal },
  baseline: { expected: 'what `readBaseline` returns', fits: Array.isArray },
  failOn: { expected: '"error" or "warning"', fits: (value) => value === 'error' || value === 'warning' },
};

/**
 * Refuses what a caller without types may pass: a misspelt setting would be ignored, and the check be another one.
 *
 * @throws {TypeError} with what is expected. @throws {RangeError} when a time is none.
 */
export function checkArguments(from: Spans, settings: CheckSettings): void {
  if (!isSpans(from))
    throw new TypeError(`the spans are ${tell(from)}; expected a receiver or an array of spans`);
  if (typeof settings !== 'object' || settings === null)
    throw new TypeError(`the settings are ${tell(settings)}; expected an object such as { waitMs: 5000 }`);
  for (const [name, value] of Object.entries(settings)) {
    if (!isSetting(name)) throw new TypeError(`there is no setting ${name}${describeSettings(name)}`);
    if (value === undefined || shapes[name].fits(value)) continue;
    const message = `${name} is ${tell(value)}; expected ${shapes[name].expected}`;
    throw typeof value === 'number' && shapes[name] === milliseconds
      ? new RangeError(message)
      : new TypeError(message);
  }
}

function isSpans(from: unknown): boolean {
  if (typeof from !== 'object' || from === null) return false;
  if ('readAll' in from) return true;
  return (
    Array.isArray(from) && from.every((span) => typeof span === 'object' && span !== null && 'spanId' in span)
  );
}

function isSetting(name: string): name is keyof CheckSettings {
  return Object.hasOwn(shapes, name);
}

function describeSettings(name: string): string {
  const names = Object.keys(shapes);
  const meant = suggestName(name, names);
  return meant === null ? `; there are ${names.join(', ')}` : `; did you mean ${meant}?`;
}

function tell(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
