import type { AuditContext, AuditSource } from '../audit/audit-source.ts';
import { createFileSource } from '../audit/file-source.ts';
import { createSearchSource } from '../audit/search-source.ts';
import { quoteValue } from '../decode/quote-value.ts';
import { openSource } from '../source/open-source.ts';
import { parseSourceSpec } from '../source/parse-source-spec.ts';
import { auditSpecs } from '../source/source-specs.ts';
import type { AuditArguments } from './audit-arguments.ts';
import { renderProgress } from './render-progress.ts';
import { UsageError } from './usage-error.ts';

/** Opens what the arguments name. Nothing is asked yet. @throws {SourceError} when the specification is wrong. */
export async function openAuditSource(
  paths: readonly string[],
  args: AuditArguments,
  context: AuditContext,
): Promise<AuditSource> {
  if (paths.length > 0 === (args.source !== undefined))
    throw new UsageError('name what to audit: either --source, or files');
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('standard input (-) can be read once; name it once');
  const spec = args.source ?? '';
  const named =
    args.source === undefined ? ({ kind: 'files', paths } as const) : parseSourceSpec(spec, auditSpecs);
  switch (named.kind) {
    case 'files':
      return openFiles(named.paths, context);
    case 'file':
      return openFiles([named.path], context);
    case 'otlp':
      throw new UsageError(
        `--source ${quoteValue(spec)}: an audit reads what is stored: ${auditSpecs.join(', ')}; a receiver is for sink, watch, run and exec`,
      );
    case 'clickhouse':
      return openClickhouse(named.address, args, context);
    case 'jaeger':
    case 'tempo':
      return openSearch(spec, args, context);
  }
}

const clickhouse = 'clickhouse=';

/** Options that not all sources heed, with the way to say the same of ClickHouse; null where it is the same option. */
const heededOptions = {
  header: 'CLICKHOUSE_USER and CLICKHOUSE_PASSWORD say who asks',
  limit: '?most= is the limit of ClickHouse',
  timeout: '?seconds= is the limit of ClickHouse',
  settle: null,
} as const;

/** Refuses options that the source would not heed. @param isGiven Whether the command line has the option. */
export function refuseUnheeded(
  { source = '', collectorMetrics }: AuditArguments,
  isGiven: (option: string) => boolean,
): void {
  if (/^(?:jaeger|tempo)\b/.test(source)) return;
  const isClickhouse = source.startsWith(clickhouse);
  for (const [option, advice] of Object.entries(heededOptions)) {
    if (!isGiven(option) || (option === 'timeout' && collectorMetrics !== undefined)) continue;
    if (isClickhouse && advice === null) continue;
    const sources = advice === null ? 'jaeger=URL, tempo=URL and clickhouse=URL' : 'jaeger=URL and tempo=URL';
    throw new UsageError(`--${option}: only ${sources} heed it; ${isClickhouse ? advice : 'leave it out'}`);
  }
}

/** Loaded here alone: no other command needs it. */
async function openClickhouse(
  target: string,
  { ca }: AuditArguments,
  { judge }: AuditContext,
): Promise<AuditSource> {
  const { readClickhouseAddress } = await import('../audit/clickhouse/clickhouse-address.ts');
  const { createClickhouseSource } = await import('../audit/clickhouse/clickhouse-source.ts');
  const address = readClickhouseAddress(target, process.env);
  return createClickhouseSource(address, { judge, ...(ca === undefined ? {} : { caFile: ca }) });
}

/** SQL for the database and the table that `--source` names, or the usual ones. */
export async function renderViewSql(
  paths: readonly string[],
  { source = `${clickhouse}http://localhost/otel` }: AuditArguments,
): Promise<string> {
  const { readClickhouseAddress } = await import('../audit/clickhouse/clickhouse-address.ts');
  const { renderEdgesView } = await import('../audit/clickhouse/edges-view.ts');
  if (paths.length > 0 || !source.startsWith(clickhouse))
    throw new UsageError('--print-sql: only --source clickhouse=URL has a view');
  const { database, tables } = readClickhouseAddress(source.slice(clickhouse.length), process.env);
  return renderEdgesView(database, tables[0] ?? 'otel_traces');
}

function openFiles(paths: readonly string[], { judge, showProgress }: AuditContext): AuditSource {
  const since = performance.now();
  const what = paths.length === 1 ? (paths[0] ?? '') : `${paths.length} files`;
  return createFileSource(paths, {
    judge,
    onProgress: ({ bytes: done, size: all }) =>
      showProgress((columns) => {
        const elapsedMs = performance.now() - since;
        return renderProgress({ what, unit: 'bytes', done, all, elapsedMs }, columns);
      }),
  });
}

async function openSearch(
  spec: string,
  { header = {}, ca, timeout, limit }: AuditArguments,
  { judge, showProgress }: AuditContext,
): Promise<AuditSource> {
  const http = { headers: header, timeoutMs: timeout, ...(ca === undefined ? {} : { caFile: ca }) };
  const source = await openSource(spec, { http });
  return createSearchSource(source, {
    judge,
    limit,
    onProgress: ({ traces, share }) =>
      showProgress(
        () =>
          `${source.name}: ${traces.toLocaleString('en')} traces, ${Math.floor(share * 100)} % of the window`,
      ),
  });
}
