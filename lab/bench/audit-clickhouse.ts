import { readFile, statfs } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { makeTable, startChdb, withoutChdb } from 'propagation-check/chdb';
import { checkStore, createClickhouseSource, readClickhouseAddress, UsageError } from 'propagation-check/kit';

/** Time and memory of an audit of spans in ClickHouse. */
export interface ClickhouseRow {
  readonly spans: number;
  readonly seconds: number;
  /** Compressed bytes that the engine read from its files. */
  readonly bytesRead: number;
  /** Peak memory of the engine's process. */
  readonly engineBytes: number;
  /** Memory of this process. */
  readonly ownBytes: number;
  /** Spans that the database sent to this process. */
  readonly sent: number;
  /** Calls and broken calls that the audit counts, and the numbers that were generated. */
  readonly calls: number;
  readonly broken: number;
  readonly madeCalls: number;
  readonly madeBroken: number;
  readonly says: string;
}

/** A trace is gateway -> orders-n -> stock-m. The calls of orders-3 to stock-2 lose their context: one trace in 35. */
const spansOfTrace = 5;
const callsOfTrace = 2;
const [orders, stock] = [7, 5];
/** The number below 35 that is 3 modulo 7 and 2 modulo 5. */
const brokenRemainder = 17;
const tracesOfInsert = 200_000;
/** Disk space of a generated span in bytes, with room for merges. */
const diskOfSpan = 250;
const begin = Date.parse('2026-11-01T00:00:00Z');
const windowMs = 3_600_000;

/** Prints a row for each number of spans: `--spans 1000000,50000000`. */
export async function benchAuditClickhouse(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { spans: { type: 'string', default: '1000000' } },
  });
  process.stdout.write(
    '| spans | seconds | read from disk | engine | this process | spans sent | calls, made | broken, made |\n|---|---|---|---|---|---|---|---|\n',
  );
  for (const spans of values.spans.split(',').map(Number)) {
    const row = await measureClickhouse(spans);
    const mb = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
    const numbers = [row.sent, row.calls, row.madeCalls, row.broken, row.madeBroken].map((each) =>
      each.toLocaleString('en'),
    );
    const [sent, calls, madeCalls, broken, madeBroken] = numbers;
    process.stdout.write(
      `| ${row.spans.toLocaleString('en')} | ${row.seconds.toFixed(1)} | ${mb(row.bytesRead)} | ${mb(row.engineBytes)} | ${mb(row.ownBytes)} | ` +
        `${sent} | ${calls}, ${madeCalls} | ${broken}, ${madeBroken} |\n`,
    );
  }
}

/** Generates spans in the embedded engine and audits the hour that they fill. */
async function measureClickhouse(spans: number): Promise<ClickhouseRow> {
  if (withoutChdb !== false) throw new UsageError(withoutChdb);
  const traces = Math.floor(spans / spansOfTrace);
  const chdb = await startChdb();
  try {
    const { bavail, bsize } = await statfs(chdb.data);
    if (bavail * bsize < spans * diskOfSpan) throw new UsageError(`${chdb.data}: no room for ${spans} spans`);
    await makeTable(chdb, 'otel', 'otel_traces');
    for (let from = 0; from < traces; from += tracesOfInsert) {
      const query = generate(from, Math.min(tracesOfInsert, traces - from), windowMs / traces);
      await chdb.client.command({ query });
    }
    const address = readClickhouseAddress(`${chdb.url}/otel`, {});
    const source = await createClickhouseSource(address, { judge: (store) => checkStore(store) });
    const [readBefore, since] = [await readCounter(chdb.pid, 'io', 'rchar'), performance.now()];
    const { result, seen, store } = await source.readWindow(
      { from: begin, to: begin + windowMs },
      new AbortController().signal,
    );
    const seconds = (performance.now() - since) / 1000;
    await source.close();
    return {
      spans: result.spans,
      seconds,
      bytesRead: (await readCounter(chdb.pid, 'io', 'rchar')) - readBefore,
      engineBytes: (await readCounter(chdb.pid, 'status', 'VmHWM')) * 1024,
      ownBytes: process.memoryUsage().rss,
      sent: store?.size ?? 0,
      calls: result.edges.reduce((sum, { calls }) => sum + calls, 0),
      broken: result.edges.reduce((sum, { broken }) => sum + broken, 0),
      madeCalls: traces * callsOfTrace,
      madeBroken: Math.ceil((traces - brokenRemainder) / (orders * stock)),
      says: seen.says,
    };
  } finally {
    await chdb.stop();
  }
}

/** Reads a counter of a process from `/proc`. */
async function readCounter(pid: number, file: string, name: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

function generate(from: number, traces: number, everyMs: number): string {
  const id = (of: string): string => `substring(lower(hex(MD5(concat(toString(t), '-${of}')))), 1, 16)`;
  const http = (key: string, host: string): string =>
    `map('http.request.method', 'GET', 'server.address', ${host}, 'server.port', '8080', ${key}, 'http.response.status_code', '200', 'user_agent.original', 'node')`;
  const server = (route: string): string => http(`'http.route', '${route}'`, `''`);
  const client = (host: string, path: string): string =>
    http(`'url.full', concat('http://', ${host}, ':8080${path}')`, host);
  const at = (ms: number): string => `b + toIntervalMillisecond(${ms})`;
  return `INSERT INTO otel.otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    ScopeName, SpanAttributes, Duration, StatusCode)
  WITH number + ${from} AS t, lower(hex(MD5(toString(t)))) AS trace, t % ${orders * stock} = ${brokenRemainder} AS isBroken,
    fromUnixTimestamp64Nano(toInt64(${begin}000000 + t * ${everyMs} * 1000000)) AS b,
    concat('orders-', toString(t % ${orders})) AS orders, concat('stock-', toString(t % ${stock})) AS stock,
    ${id('1')} AS s1, ${id('2')} AS s2, ${id('3')} AS s3, ${id('4')} AS s4, ${id('5')} AS s5
  SELECT s.1, s.2, s.3, s.4, s.5, s.6, s.7,
    map('service.name', s.7, 'service.instance.id', concat(s.7, '-', toString(t % 3)), 'telemetry.sdk.language', 'nodejs'),
    '@opentelemetry/instrumentation-http', s.8, s.9, 'Unset'
  FROM numbers(${traces}) ARRAY JOIN [
    (b, trace, s1, '', 'GET /buy', 'Server', 'gateway', ${server('/buy')}, 90000000),
    (${at(5)}, trace, s2, s1, 'GET', 'Client', 'gateway', ${client('orders', '/orders/7')}, 80000000),
    (${at(10)}, trace, s3, s2, 'GET /orders/:id', 'Server', orders, ${server('/orders/:id')}, 70000000),
    (${at(15)}, trace, s4, s3, 'GET', 'Client', orders, ${client('stock', '/stock')}, 60000000),
    (${at(20)}, if(isBroken, lower(hex(MD5(concat('lost', toString(t))))), trace), s5, if(isBroken, '', s4), 'GET /stock', 'Server', stock,
      ${server('/stock')}, 50000000)] AS s`;
}
