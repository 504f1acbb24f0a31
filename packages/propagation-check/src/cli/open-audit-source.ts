import type { AuditContext, AuditSource } from '../audit/audit-source.ts';
import { createFileSource } from '../audit/file-source.ts';
import { createSearchSource } from '../audit/search-source.ts';
import { quoteValue } from '../decode/quote-value.ts';
import { openSource } from '../source/open-source.ts';
import { type NamedSource, parseSourceSpec } from '../source/parse-source-spec.ts';
import { auditSpecs, stores } from '../source/source-specs.ts';
import type { AuditArguments } from './audit-arguments.ts';
import { refuseOtherThanOne } from './refuse-other-than-one.ts';
import { type OptionUses, refuseUnusedOptions } from './refuse-unused-options.ts';
import { renderProgress } from './render-progress.ts';
import { UsageError } from './usage-error.ts';

/** Opens the source or files that the arguments name. No request is made yet. @throws {SourceError} when the specification is wrong. */
export async function openAuditSource(
  paths: readonly string[],
  args: AuditArguments,
  context: AuditContext,
): Promise<AuditSource> {
  const named = nameAuditSource(paths, args);
  const spec = args.source ?? '';
  switch (named.kind) {
    case 'files':
      return openFiles(named.paths, context);
    case 'file':
      return openFiles([named.path], context);
    case 'clickhouse':
      return openClickhouse(named.address, args, context);
    case 'jaeger':
    case 'tempo':
      return openSearch(spec, args, context);
  }
}

type AuditedSource =
  | Exclude<NamedSource, { readonly kind: 'otlp' }>
  | { readonly kind: 'files'; readonly paths: readonly string[] };

function nameAuditSource(
  paths: readonly string[],
  { source }: Pick<AuditArguments, 'source'>,
): AuditedSource {
  refuseOtherThanOne('audit', paths, source);
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('standard input (-) can be read once; name it once');
  if (source === undefined) return { kind: 'files', paths };
  const named = parseSourceSpec(source, auditSpecs);
  if (named.kind !== 'otlp') return named;
  throw new UsageError(
    `--source ${quoteValue(source)}: an audit reads what is stored: ${auditSpecs.join(', ')}; a receiver is for sink, watch, run and exec`,
  );
}

const clickhouse = 'clickhouse=';

const uses: OptionUses = {
  ca: [...stores, 'clickhouse=URL', '--collector-metrics'],
  header: stores,
  limit: stores,
  timeout: [...stores, '--collector-metrics'],
  settle: [...stores, 'clickhouse=URL'],
};

/** How to set the same for ClickHouse, by option. */
const clickhouseAdvice = {
  header: 'CLICKHOUSE_USER and CLICKHOUSE_PASSWORD say who asks',
  limit: '?most= is the limit of ClickHouse',
  timeout: '?seconds= is the limit of ClickHouse',
} as const;

/**
 * Refuses options that would do nothing for the source of the audit. Without a named source it refuses none.
 * @param isGiven Whether the command line has the option.
 * @throws {UsageError} @throws {SourceError} when the source is of no known kind.
 */
export function refuseOptionsOfAudit(
  paths: readonly string[],
  { source, printSql, collectorMetrics }: Pick<AuditArguments, 'source' | 'printSql' | 'collectorMetrics'>,
  isGiven: (option: string) => boolean,
): void {
  if (printSql === true || (paths.length === 0 && source === undefined)) return;
  const { kind } = nameAuditSource(paths, source === undefined ? {} : { source });
  const present = [`${kind}=URL`, ...(collectorMetrics === undefined ? [] : ['--collector-metrics'])];
  refuseUnusedOptions(uses, present, isGiven, kind === 'clickhouse' ? clickhouseAdvice : {});
}

/** Loads the client only here, because no other command needs it. */
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

/** The SQL of the view for the database and table that `--source` names, or for the default ones. */
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
