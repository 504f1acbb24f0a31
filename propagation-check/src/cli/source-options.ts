import type { SourceOptions } from '../source/open-source.ts';
import type { SourceArguments } from './common-options.ts';

export function toSourceOptions({ header = {}, ca, timeout }: SourceArguments): SourceOptions {
  return { http: { headers: header, timeoutMs: timeout, ...(ca === undefined ? {} : { caFile: ca }) } };
}
