import { openSource } from '../source/open-source.ts';
import type { Source } from '../source/source.ts';
import type { SourceArguments } from './common-options.ts';
import type { Session } from './session.ts';

/** Opens the source that the arguments name. @throws {SourceError} as `openSource`. */
export async function openNamedSource(
  { source: spec, header = {}, ca, timeout }: SourceArguments,
  { writeError }: Pick<Session, 'writeError'>,
): Promise<Source> {
  const http = { headers: header, timeoutMs: timeout, ...(ca === undefined ? {} : { caFile: ca }) };
  const source = await openSource(spec, { http });
  if (source.warning) writeError(`propagation-check: ${source.name}: ${source.warning}\n`);
  return source;
}
