import type { ExportSink, OwnAddress } from '../source/export-request.ts';
import { openSource } from '../source/open-source.ts';
import type { Source } from '../source/source.ts';
import type { SourceArguments } from './common-options.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

/** Opens the source that the arguments name. @throws {SourceError} as `openSource`. */
export async function openNamedSource(
  args: SourceArguments,
  { writeError }: Pick<Session, 'writeError'>,
): Promise<Source> {
  const { source: spec, forward, save } = args;
  if ((forward ?? save) !== undefined && spec !== 'otlp' && !spec.startsWith('otlp=')) {
    const option = save === undefined ? '--forward' : '--save';
    throw new UsageError(`${option} takes what services send to this tool: --source otlp`);
  }
  const say = (text: string) => writeError(`propagation-check: ${text}\n`);
  const otlp = { openSinks: (own: OwnAddress) => openSinks(args, own, say) };
  const source = await openSource(spec, { http: readHttpOptions(args), otlp });
  if (source.warning) say(`${source.name}: ${source.warning}`);
  return source;
}

function readHttpOptions({ header = {}, ca, timeout }: SourceArguments) {
  return { headers: header, timeoutMs: timeout, ...(ca === undefined ? {} : { caFile: ca }) };
}

async function openSinks(
  args: SourceArguments,
  own: OwnAddress,
  say: (text: string) => void,
): Promise<readonly ExportSink[]> {
  const { forward: url, save } = args;
  const sinks: ExportSink[] = [];
  if (url !== undefined) {
    const { openForward } = await import('../source/forward-exports.ts');
    sinks.push(await openForward({ ...readHttpOptions(args), url, own, say }));
  }
  // Last, because opening it truncates the file.
  if (save !== undefined) {
    const { openSave } = await import('../source/save-exports.ts');
    sinks.push(await openSave(save));
  }
  return sinks;
}
