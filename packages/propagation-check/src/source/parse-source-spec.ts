import { quoteValue } from '../decode/quote-value.ts';
import type { OtlpReceiverOptions } from './otlp-receiver.ts';
import { SourceError } from './source.ts';
import { sourceSpecs } from './source-specs.ts';

export type NamedSource =
  | { readonly kind: 'jaeger' | 'tempo'; readonly url: URL }
  | { readonly kind: 'otlp'; readonly address: Pick<OtlpReceiverOptions, 'host' | 'port'> }
  | { readonly kind: 'clickhouse'; readonly address: string }
  | { readonly kind: 'file'; readonly path: string };

/**
 * @param specs The specifications that the caller supports, for the message.
 * @throws {SourceError} when the kind is unknown, or the URL, address or path is wrong.
 */
export function parseSourceSpec(spec: string, specs: readonly string[] = sourceSpecs): NamedSource {
  const separator = spec.indexOf('=');
  const kind = separator < 0 ? spec : spec.slice(0, separator);
  const target = separator < 0 ? '' : spec.slice(separator + 1);
  switch (kind) {
    case 'jaeger':
      return { kind, url: parseUrl(spec, target, 'jaeger=http://localhost:16686') };
    case 'tempo':
      return { kind, url: parseUrl(spec, target, 'tempo=http://localhost:3200') };
    case 'otlp':
      return { kind, address: parseAddress(spec, target) };
    case 'clickhouse':
      return { kind, address: target };
    case 'file':
      if (target === '')
        throw new SourceError(`--source ${quoteValue(spec)}: the path is missing: file=PATH`);
      return { kind, path: target };
    default:
      throw new SourceError(`--source ${quoteValue(spec)}: not a source; use one of ${specs.join(', ')}`);
  }
}

const filePrefix = 'file=';

/** The path of `file=PATH`; null for another source. */
export function pathOfFileSpec(spec: string): string | null {
  return spec.startsWith(filePrefix) ? spec.slice(filePrefix.length) : null;
}

/** Whether the specification is a receiver on any free port. */
export function isFreePort(spec: string): boolean {
  return /^otlp=(?:.*:)?0$/.test(spec);
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
