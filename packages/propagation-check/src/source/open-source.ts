import { quoteValue } from '../decode/quote-value.ts';
import { createFileSource, type FileOptions } from './file.ts';
import type { HttpClientOptions } from './http-client.ts';
import { createJaegerSource } from './jaeger.ts';
import { type OtlpReceiverOptions, startOtlpReceiver } from './otlp-receiver.ts';
import { type Source, SourceError } from './source.ts';
import { createTempoSource } from './tempo.ts';

export interface SourceOptions {
  readonly http?: HttpClientOptions;
  readonly file?: FileOptions;
  readonly otlp?: OtlpReceiverOptions;
}

/** For `--help`: what a source specification can be. */
export const sourceSpecs = [
  'jaeger=URL',
  'tempo=URL',
  'otlp',
  'otlp=HOST:PORT',
  'file=PATH',
  'file=-',
] as const;

/**
 * Opens the source that a specification names: `jaeger=http://localhost:16686`. URLs and paths are not tried before
 * the first question; a receiver (`otlp`) listens at once.
 * @throws {SourceError} when the specification is not one of `sourceSpecs`, or the source cannot be opened.
 */
export async function openSource(spec: string, options: SourceOptions = {}): Promise<Source> {
  const separator = spec.indexOf('=');
  const kind = separator < 0 ? spec : spec.slice(0, separator);
  const target = separator < 0 ? '' : spec.slice(separator + 1);
  switch (kind) {
    case 'jaeger':
      return createJaegerSource(parseUrl(spec, target, 'http://localhost:16686'), options.http);
    case 'tempo':
      return createTempoSource(parseUrl(spec, target, 'http://localhost:3200'), options.http);
    case 'otlp':
      return startOtlpReceiver({ ...options.otlp, ...parseAddress(spec, target) });
    case 'file':
      if (target === '')
        throw new SourceError(`--source ${quoteValue(spec)}: the path is missing: file=PATH`);
      return createFileSource(target, options.file);
    default:
      throw new SourceError(
        `--source ${quoteValue(spec)}: not a source; use one of ${sourceSpecs.join(', ')}`,
      );
  }
}

function parseUrl(spec: string, target: string, example: string): URL {
  const url = URL.canParse(target) ? new URL(target) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new SourceError(`--source ${quoteValue(spec)}: not an http or https URL, for instance ${example}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new SourceError(
      '--source: credentials do not belong into the URL; use --header "Authorization: …"',
    );
  }
  return url;
}

function parseAddress(spec: string, target: string): { readonly host?: string; readonly port?: number } {
  if (target === '') return {};
  const match = /^(?:(\[[0-9a-f:.]+\]|[^:[\]]+):)?(\d{1,5})$/i.exec(target);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new SourceError(
      `--source ${quoteValue(spec)}: expected HOST:PORT, for instance otlp=127.0.0.1:4318`,
    );
  }
  const host = match[1]?.replace(/^\[|\]$/g, '');
  return host === undefined ? { port } : { host, port };
}

/**
 * Parses a header field on the command line: `Name: value`.
 * @param option That it was given with, for messages.
 * @returns The name in lower case, and the value.
 * @throws {SourceError} that never shows the value, which may be a secret.
 */
export function parseHeader(option: string, argument: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(argument);
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined) {
    throw new SourceError(`${option}: expected "Name: value", for instance "Authorization: Bearer …"`);
  }
  return [name.toLowerCase(), value.trim()];
}
