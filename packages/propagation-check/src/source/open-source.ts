import { quoteValue } from '../decode/quote-value.ts';
import { createFileSource, type FileOptions } from './file.ts';
import type { HttpClientOptions } from './http-client.ts';
import { createJaegerSource } from './jaeger.ts';
import { type OtlpReceiverOptions, startOtlpReceiver } from './otlp-receiver.ts';
import { type Source, SourceError } from './source.ts';
import { sourceSpecs } from './source-specs.ts';
import { createTempoSource } from './tempo.ts';

/** By kind of source; the others are not read. */
export interface SourceOptions {
  readonly http?: HttpClientOptions;
  readonly file?: FileOptions;
  readonly otlp?: OtlpReceiverOptions;
}

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

function parseAddress(spec: string, target: string): Pick<OtlpReceiverOptions, 'host' | 'port'> {
  if (target === '') return {};
  const match = /^(?:(\[[0-9a-f:.]+\]|[^:[\],]+):)?(\d{1,5}(?:,\d{1,5})*)$/i.exec(target);
  const port = (match?.[2] ?? '').split(',').map(Number);
  if (match === null || port.some((each) => each > 65_535)) {
    throw new SourceError(
      `--source ${quoteValue(spec)}: expected HOST:PORT, for instance otlp=127.0.0.1:4318`,
    );
  }
  const host = match[1]?.replace(/^\[|\]$/g, '');
  return host === undefined ? { port } : { host, port };
}
