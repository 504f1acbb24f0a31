import { readFile } from 'node:fs/promises';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { escapeControls } from '../../decode/quote-value.ts';
import { describeFileError, quotePath } from '../../source/file-error.ts';
import { describeHttpFailure } from '../../source/http-failure.ts';
import { summarize } from '../../source/http-policy.ts';
import { SourceError } from '../../source/source.ts';
import type { ClickhouseAddress } from './clickhouse-address.ts';

/** A connection that runs SQL queries. */
export interface Clickhouse {
  /**
   * The rows of a query, as objects.
   * @throws {SourceError} when there is no answer, or the server refuses. Rejects with the signal's reason when it is aborted.
   */
  query(sql: string, signal: AbortSignal): AsyncIterable<unknown>;
  close(): Promise<void>;
}

/** How much longer than the server the client waits, so that the error of an exceeded limit arrives. */
const patienceMs = 15_000;
/** The most rows of a query, as a multiple of the spans that were asked for: traces are read whole, however many spans they have. */
const mostRowsTimes = 20;

/**
 * Prepares a connection, which the first query opens. The library is loaded here, so that other commands do not wait for it.
 * @throws {SourceError} when the CA file cannot be read.
 */
export async function connectClickhouse(address: ClickhouseAddress, caFile?: string): Promise<Clickhouse> {
  const ca = caFile === undefined ? null : await readCa(address, caFile);
  const { createClient, ClickHouseError, ClickHouseLogLevel, parseError } = await import(
    '@clickhouse/client'
  );
  const client = createClient({
    url: address.url,
    database: address.database,
    username: address.username,
    password: address.password,
    application: 'propagation-check',
    request_timeout: address.seconds * 1000 + patienceMs,
    compression: { response: true },
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: limitsOf(address),
    ...(ca === null ? {} : { tls: { ca_cert: ca } }),
  });
  const explain = (error: unknown, signal: AbortSignal): unknown => {
    if (signal.aborted) return signal.reason;
    // The client never throws these: they are defects of this program.
    if (error instanceof TypeError || error instanceof ReferenceError) return error;
    // After the first rows an error stands in the place of a row.
    const met = error instanceof BrokenRow ? parseError(error.message) : error;
    const why =
      met instanceof ClickHouseError
        ? describeRefusal(address, met)
        : isAnswer(met)
          ? `it answered ${summarize({ body: Buffer.from(met.message) })}, ${notClickhouse}`
          : describeHttpFailure(peer, met);
    return new SourceError(`${address.name}: ${why}`);
  };
  return {
    query: (sql, signal) => readRows(client, sql, signal, (error) => explain(error, signal)),
    close: () => client.close(),
  };
}

const peer = {
  name: 'ClickHouse',
  port: 'its HTTP port (8123, with TLS 8443)',
  headerOption: '--header',
} as const;

/** The advice after an answer of another server, or of a proxy. */
export const notClickhouse = `not as ClickHouse does; use ${peer.port}`;

/** Whether the message of the error is the answer of a server. Errors of the connection have a code, except one. */
function isAnswer(error: unknown): error is Error {
  return error instanceof Error && !('code' in error) && error.message !== 'Timeout error.';
}

async function readCa(address: ClickhouseAddress, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SourceError(`${address.name}: --ca ${quotePath(path)}: ${describeFileError(error)}`);
  }
}

/** Characters; ClickHouse's default is 256 KiB. A query lists the slices and traces that it reads. */
const longestQuery = 64 * 1024 ** 2;

/** `readonly=2` refuses every write and permits setting these limits. Grouping spills to disk before the memory limit. */
function limitsOf({ memory, seconds, most }: ClickhouseAddress): ClickHouseSettings {
  return {
    readonly: '2',
    max_execution_time: seconds,
    timeout_overflow_mode: 'throw',
    max_memory_usage: String(memory),
    max_bytes_before_external_group_by: String(Math.floor(memory / 2)),
    max_result_rows: String(Math.max(most * mostRowsTimes, 1_000_000)),
    result_overflow_mode: 'throw',
    output_format_json_quote_64bit_integers: 1,
    date_time_output_format: 'unix_timestamp',
    join_algorithm: 'hash',
    max_query_size: String(longestQuery),
  };
}

async function* readRows(
  client: ClickHouseClient,
  query: string,
  signal: AbortSignal,
  explain: (error: unknown) => unknown,
): AsyncIterable<unknown> {
  try {
    const answer = await client.query({ query, format: 'JSONEachRow', abort_signal: signal });
    for await (const rows of answer.stream()) {
      for (const row of rows) yield readJson(row);
    }
  } catch (error) {
    throw explain(error);
  }
}

/** The message is the text of the row. */
class BrokenRow extends Error {}

function readJson(row: { readonly text: string; json(): unknown }): unknown {
  try {
    return row.json();
  } catch {
    throw new BrokenRow(row.text);
  }
}

/** Errors of the server, by number. Source: ClickHouse, `src/Common/ErrorCodes.cpp`. */
const refusals = new Map<string, (address: ClickhouseAddress) => string>([
  [
    '60',
    ({ tables, database }) => `there is no table ${tables.join(' or ')} in ${database}; name it with ?table=`,
  ],
  ['81', ({ database }) => `there is no database ${database}`],
  ['159', ({ seconds }) => `a query took more than ${seconds} s; shorten the window, or set ?seconds=`],
  ['164', () => 'the user may not set limits; give its profile readonly = 2 instead of 1'],
  ['192', ({ username }) => describeLogin(username)],
  ['193', ({ username }) => describeLogin(username)],
  ['194', ({ username }) => describeLogin(username)],
  [
    '241',
    ({ memory }) => `a query needs more than ${memory} bytes of memory; shorten the window, or set ?memory=`,
  ],
  ['396', () => 'the answer has too many rows; set ?most= lower'],
  [
    '497',
    ({ username }) => `${username} lacks a right; GRANT SELECT on the table (and REMOTE for ?cluster=)`,
  ],
  ['516', ({ username }) => describeLogin(username)],
  ['701', ({ cluster }) => `there is no cluster ${cluster}; SELECT cluster FROM system.clusters lists them`],
]);

function describeLogin(username: string): string {
  return `wrong name or password for ${username}; set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD`;
}

function describeRefusal(
  address: ClickhouseAddress,
  { code, message }: { code: string; message: string },
): string {
  const known = refusals.get(code)?.(address);
  if (known !== undefined) return known;
  const [first = ''] = message.split(/: (?:while|In scope)\b|\n/, 1);
  return `error ${code}: ${escapeControls(first.slice(0, longestMessage))}`;
}

/** Some messages of ClickHouse repeat the whole query. */
const longestMessage = 200;
