import type { Expectation } from '../expect/expectation.ts';
import type { OtlpReceiver } from '../source/otlp-receiver.ts';
import type { Span } from '../span/span.ts';
import { suggestName } from '../util/suggest-name.ts';
import type { Baseline } from '../verdict/apply-baseline.ts';
import type { FailOn } from '../verdict/decide-verdict.ts';

/** The source of spans: a receiver, whose spans the check waits for, or spans in memory. */
export type Spans = OtlpReceiver | readonly Span[];

/** Expectations, and how long to wait for spans. */
export interface CheckSettings {
  /** Edges that must exist: `web -> orders -> payments`. */
  readonly expect?: string | readonly string[];
  /** Further edges that must, may and must not exist. */
  readonly expectation?: Expectation;
  /** How long spans may take to arrive, in milliseconds. Default 10,000. */
  readonly waitMs?: number;
  /** Missing spans are judged when no span has arrived for this long. Milliseconds, default 2,000: with the env of the receiver exporters send every 100. */
  readonly settleMs?: number;
  readonly signal?: AbortSignal;
  /** Breaks that are accepted (`readBaseline`): only others fail. */
  readonly baseline?: Baseline;
  /** The lowest severity that fails. Default `error`. */
  readonly failOn?: FailOn;
}

/** The expected form of a setting. */
interface Shape {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

const object: Shape = {
  expected: 'an object, as `readExpectation` returns it',
  fits: (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['edges', 'toleratedPeers', 'traceresponse'].every((name) => Array.isArray(Reflect.get(value, name))) &&
    typeof Reflect.get(value, 'baggage') === 'object',
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
  signal: {
    expected: 'an AbortSignal',
    // Not `instanceof`: the AbortSignal of jsdom is another class.
    fits: (value) =>
      typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
  },
  baseline: { expected: 'what `readBaseline` returns', fits: Array.isArray },
  failOn: { expected: '"error" or "warning"', fits: (value) => value === 'error' || value === 'warning' },
};

/**
 * Refuses wrong arguments of callers that TypeScript does not check: a misspelt setting would silently be ignored.
 *
 * @throws {TypeError} that names what is expected. @throws {RangeError} when a time is not a valid number.
 */
export function checkArguments(from: Spans, settings: CheckSettings): void {
  if (!isSpans(from))
    throw new TypeError(`the spans are ${describeValue(from)}; expected a receiver or an array of spans`);
  if (typeof settings !== 'object' || settings === null)
    throw new TypeError(
      `the settings are ${describeValue(settings)}; expected an object such as { waitMs: 5000 }`,
    );
  for (const [name, value] of Object.entries(settings)) {
    if (!isSetting(name)) throw new TypeError(`there is no setting ${name}${describeSettings(name)}`);
    if (value === undefined || shapes[name].fits(value)) continue;
    const message = `${name} is ${describeValue(value)}; expected ${shapes[name].expected}`;
    throw typeof value === 'number' && shapes[name] === milliseconds
      ? new RangeError(message)
      : new TypeError(message);
  }
}

/** @throws {TypeError} where the path is missing: nothing would be expected. */
export function checkPathArgument(path: unknown): void {
  if (typeof path !== 'string')
    throw new TypeError(
      `the path is ${describeValue(path)}; expected services with arrows between them: "web -> orders"`,
    );
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

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
