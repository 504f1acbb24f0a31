import { createFileSource, type FileOptions } from './file.ts';
import type { HttpClientOptions } from './http-client.ts';
import { createJaegerSource } from './jaeger.ts';
import { type OtlpReceiverOptions, startOtlpReceiver } from './otlp-receiver.ts';
import { parseSourceSpec } from './parse-source-spec.ts';
import { type Source, SourceError } from './source.ts';
import { sourceSpecs } from './source-specs.ts';
import { createTempoSource } from './tempo.ts';

/** Options for each kind of source; the other kinds ignore them. */
export interface SourceOptions {
  readonly http?: HttpClientOptions;
  readonly file?: FileOptions;
  readonly otlp?: OtlpReceiverOptions;
}

/**
 * Opens the source that a specification names: `jaeger=http://localhost:16686`. A URL or path is first used on the first request; a
 * receiver (`otlp`) listens at once.
 * @throws {SourceError} when the specification is not one of `sourceSpecs`, or the source cannot be opened.
 */
export async function openSource(spec: string, options: SourceOptions = {}): Promise<Source> {
  const named = parseSourceSpec(spec);
  switch (named.kind) {
    case 'jaeger':
      return createJaegerSource(named.url, options.http);
    case 'tempo':
      return createTempoSource(named.url, options.http);
    case 'otlp':
      return startOtlpReceiver({ ...options.otlp, ...named.address });
    case 'clickhouse':
      throw new SourceError(
        `--source clickhouse: only propagation-check audit reads it; here use one of ${sourceSpecs.join(', ')}`,
      );
    case 'file':
      return createFileSource(named.path, options.file);
  }
}
