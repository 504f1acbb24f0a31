import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { ExpectationError, readExpectedPath } from '../expect/read-expected-path.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { parseHeader } from '../source/parse-header.ts';
import { dayMs, durationExamples, longestDays, readDuration } from '../util/read-duration.ts';
import { UsageError } from './usage-error.ts';

/*
 * Parsers of option values. Each throws commander's InvalidArgumentError, which names the option.
 * A parser of a repeatable option takes the values so far as its second argument.
 */

/** As `readDuration`. @returns Milliseconds, more than 0. */
export function parseDuration(text: string): number {
  return readTime(text, longestDays);
}

/** A timer of Node.js takes 24 days at most; a timeout of more than one day is a mistake. */
const longestTimeoutDays = 1;

/** As `parseDuration`, limited to `longestTimeoutDays`. */
export function parseTimeout(text: string): number {
  return readTime(text, longestTimeoutDays);
}

function readTime(text: string, mostDays: number): number {
  const milliseconds = readDuration(text);
  if (milliseconds !== null && milliseconds <= mostDays * dayMs) return milliseconds;
  throw new InvalidArgumentError(
    `Expected a time with its unit, above 0 and up to ${mostDays}d, for instance ${durationExamples}.`,
  );
}

/** A larger number of requests or traces is a mistake. */
const mostCounted = 100_000;

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= mostCounted) return count;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${mostCounted}.`);
}

export const parseHttpUrl = (text: string) => parseUrl(text, 'http://localhost:8081/call-b');
export const parseCollectorUrl = (text: string) => parseUrl(text, 'http://localhost:4318');
export const parseMetricsUrl = (text: string) => parseUrl(text, 'http://localhost:8888/metrics');
export const parseUiUrl = (text: string) => parseUrl(text, 'http://localhost:16686');

function parseUrl(text: string, example: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new InvalidArgumentError(`Expected an http:// or https:// URL, for instance ${example}.`);
  }
  if (url.username !== '' || url.password !== '') {
    // An InvalidArgumentError would print the URL with its credentials.
    throw new UsageError(`${url.origin}: credentials do not belong into the URL`);
  }
  return url;
}

export function parseHttpUrls(text: string, before: readonly URL[] = []): readonly URL[] {
  return [...before, parseHttpUrl(text)];
}

/** RFC 9110, 9.1: a method is a token, and by convention in upper case. */
export function parseMethod(text: string): string {
  if (/^[A-Za-z]+$/.test(text) && !/^(?:connect|trace)$/i.test(text)) return text.toUpperCase();
  throw new InvalidArgumentError('Expected a method such as GET or POST.');
}

export function parsePath(text: string, before: readonly ExpectedEdge[] = []): readonly ExpectedEdge[] {
  try {
    return [...before, ...readExpectedPath(text)];
  } catch (error) {
    if (!(error instanceof ExpectationError)) throw error;
    throw new InvalidArgumentError('Expected services with arrows between them: "service-a -> service-b".');
  }
}

export type Entries = Readonly<Record<string, string>>;

/** Source: W3C Baggage, 3.3.1: a key is a token, and the value is percent-encoded on the wire. */
export function parseBaggageEntry(text: string, before: Entries = {}): Entries {
  const [, key, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined || !value.isWellFormed()) {
    throw new InvalidArgumentError('Expected KEY=VALUE, for instance tenant=acme.');
  }
  return { ...before, [key]: value };
}

/** The value may be a secret, so messages do not show it. */
export function parseHeaderField(text: string, before: Entries = {}): Entries {
  const [name, value] = parseHeader('--header', text);
  return { ...before, [name]: value };
}

/** As `parseHeaderField`, for a header that this tool sends to the URL. */
export function parseRequestHeader(text: string, before: Entries = {}): Entries {
  const [name, value] = parseHeader('--request-header', text);
  if (name === 'traceparent') {
    throw new UsageError(
      '--request-header: traceparent is set by this tool, anew for each request, to know which trace it causes',
    );
  }
  return { ...before, [name]: value };
}

/** Refuses an empty name, for instance from a variable that is not set: it would match nothing. */
export function parseService(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected the name of a service (service.name).');
}

export function parseServices(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseService(text)];
}

/** Refuses a certificate authority that cannot be read, even where no TLS connection is made. */
export function parseCaFile(path: string): string {
  try {
    new X509Certificate(readFileSync(path));
    return path;
  } catch (error) {
    const isRead = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL');
    const what = isRead ? 'not a PEM certificate' : describeFileError(error);
    throw new UsageError(`--ca ${quotePath(path)}: ${what}`);
  }
}

/**
 * Accepts ids of 128 and 64 bits, also without leading zeros, as Tempo and old versions of Jaeger write them. An id of fewer than 8
 * digits is refused: it would be one in billions, and is more likely a mistake.
 */
export function parseTraceId(text: string, before: readonly string[] = []): readonly string[] {
  if (!/^[0-9a-f]{8,32}$/i.test(text) || /^0+$/.test(text)) {
    throw new InvalidArgumentError(
      'Expected a trace id: 32 hex digits, or 16; leading zeros may be left out down to 8 digits. Not all are zeros.',
    );
  }
  const id = text.toLowerCase();
  return before.includes(id) ? before : [...before, id];
}

/** Parses `99.5%`. @returns A share from 0 to 1. */
export function parseShare(text: string): number {
  const percent = Number(/^(\d{1,3}(?:\.\d+)?) ?%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new InvalidArgumentError('Expected a share above 0% and up to 100%, for instance 99.5%.');
}

/** Parses `2026-11-28T22:00:00Z`, or `15m` for a time ago. @returns Milliseconds since the Unix epoch. */
export function parseMoment(text: string): number {
  const ago = readDuration(text);
  if (ago !== null) return Date.now() - ago;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw new InvalidArgumentError(
    `Expected a time such as 2026-11-28T22:00:00Z, or how long ago, up to ${longestDays}d: ${durationExamples}.`,
  );
}
