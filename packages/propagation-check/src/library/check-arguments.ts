import { suggestName } from '../util/suggest-name.ts';

/** A setting as a program without types may pass it. */
export interface SettingRule {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

export const text: SettingRule = { expected: 'a text', fits: isText };
export const number: SettingRule = { expected: 'a number', fits: (value) => typeof value === 'number' };
export const list: SettingRule = { expected: 'a list', fits: Array.isArray };

/**
 * A setting that is misspelt would be left out in silence. One that is `undefined` has its default.
 *
 * @throws {TypeError} for a setting that is not known, and for one of another type.
 */
export function checkSettings(settings: unknown, rules: Readonly<Record<string, SettingRule>>): void {
  if (typeof settings !== 'object' || settings === null)
    throw new TypeError(`expected an object of settings, not ${describeValue(settings)}`);
  const known = new Map(Object.entries(rules));
  for (const [name, value] of Object.entries(settings)) {
    const rule = known.get(name);
    if (rule === undefined)
      throw new TypeError(`unknown setting ${name}; ${suggestSetting(name, [...known.keys()])}`);
    if (value !== undefined && !rule.fits(value))
      throw new TypeError(`${name} is ${describeValue(value)}; expected ${rule.expected}`);
  }
}

/** @throws {TypeError} where spans can be read from neither a receiver nor a list. */
export function checkSource(from: unknown): void {
  if (Array.isArray(from)) {
    const at = from.findIndex(
      (span) => !isText(propertyOf(span, 'traceId')) || !isText(propertyOf(span, 'spanId')),
    );
    if (at >= 0)
      throw new TypeError(
        `item ${at} of the list is no span but ${describeValue(from[at])}; decodeBytes reads an export`,
      );
  } else if (typeof propertyOf(from, 'readAll') !== 'function')
    throw new TypeError(
      `expected a receiver of startReceiver, or a list of spans, not ${describeValue(from)}`,
    );
}

/** @throws {TypeError} */
export function checkPathText(path: unknown): void {
  if (!isText(path))
    throw new TypeError(
      `the path is ${describeValue(path)}; expected services with arrows between them: "web -> orders"`,
    );
}

export function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function suggestSetting(name: string, known: readonly string[]): string {
  const meant = suggestName(name, known);
  return meant === null ? `expected ${known.join(', ')}` : `did you mean ${meant}?`;
}

function describeValue(value: unknown): string {
  if (isText(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
