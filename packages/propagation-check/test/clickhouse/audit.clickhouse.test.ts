import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { TimeWindow } from '../../src/audit/audit-source.ts';
import {
  type ClickhouseAddress,
  readClickhouseAddress,
} from '../../src/audit/clickhouse/clickhouse-address.ts';
import { createClickhouseSource } from '../../src/audit/clickhouse/clickhouse-source.ts';
import { connectClickhouse } from '../../src/audit/clickhouse/connect.ts';
import { renderEdgesView } from '../../src/audit/clickhouse/edges-view.ts';
import { readChosen } from '../../src/audit/clickhouse/queries.ts';
import { longestTrace } from '../../src/audit/clickhouse/trace-sql.ts';
import { selectWindow } from '../../src/audit/select-window.ts';
import { decodeClickhouseRow } from '../../src/decode/clickhouse.ts';
import { SourceError } from '../../src/source/source.ts';
import type { Span } from '../../src/span/span.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkStore, checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { simulateSystem } from '../engine/simulate-system.ts';
import { listCaptures } from './list-captures.ts';
import { type Chdb, startChdb, withoutChdb, writeTable } from './start-chdb.ts';

const { signal } = new AbortController();
const hour = { from: 1_790_000_000_000, to: 1_790_003_600_000 };
/** Only every n-th labelled capture is read: a query takes a third of a second before it reads a row. */
const captureStep = 16;
const systems = 4;

suite('an audit of ClickHouse', { skip: withoutChdb, timeout: 600_000 }, () => {
  let chdb: Chdb;
  before(async () => {
    chdb = await startChdb();
  });
  after(() => chdb.stop());

  const addressOf = (options: string): ClickhouseAddress =>
    readClickhouseAddress(`${chdb.url}/otel${options}`, {});

  /** The window from the first to the last span of the usual table. */
  const findWindow = async (): Promise<TimeWindow> => {
    const answer = await chdb.client.query({
      query:
        'SELECT toUnixTimestamp64Milli(min(Timestamp)), toUnixTimestamp64Milli(max(Timestamp)) + 1 FROM otel.otel_traces',
      format: 'TabSeparated',
    });
    const [from, to] = (await answer.text()).split('\t').map(Number);
    return { from: from ?? 0, to: to ?? 0 };
  };

  const audit = async (options: string, window?: TimeWindow, examples = 1) => {
    const source = await createClickhouseSource(addressOf(options), {
      judge: (store) => checkStore(store),
      examples,
    });
    try {
      return await source.readWindow(window ?? (await findWindow()), signal);
    } finally {
      await source.close();
    }
  };

  /** Reads all rows of a table. */
  const readAll = async (table: string): Promise<readonly Span[]> => {
    const answer = await chdb.client.query({
      query: `SELECT * FROM otel.${table}`,
      format: 'JSONEachRow',
      clickhouse_settings: { date_time_output_format: 'unix_timestamp' },
    });
    const spans: Span[] = [];
    for await (const rows of answer.stream())
      for (const row of rows) spans.push(decodeClickhouseRow(row.json()));
    return spans;
  };

  /** The result of the engine for all rows of a table. */
  const judgeAll = async (table: string): Promise<Result> => checkTraces(await readAll(table));

  for (const { name, spans } of listCaptures().filter((_, at) => at % captureStep === 0)) {
    test(`an audit of the whole window of ${name} gives the result of all its spans`, async () => {
      await writeTable(chdb, 'otel', 'otel_traces', spans);
      const { result, seen } = await audit('');
      assert.deepEqual(summarize(result), summarize(await judgeAll('otel_traces')));
      assert.deepEqual(seen, { complete: true, says: '' });
    });
  }

  test('an audit of a generated system gives the result of all its spans', async () => {
    for (let seed = 1; seed <= systems; seed += 1) {
      await writeTable(chdb, 'otel', 'otel_traces', simulateSystem(seed).spans);
      assert.deepEqual(
        summarize((await audit('')).result),
        summarize(await judgeAll('otel_traces')),
        `seed ${seed}`,
      );
    }
  });

  test('a window has the whole traces that begin in it, as with files', async () => {
    for (const seed of [6, 7]) {
      const { spans } = simulateSystem(seed);
      await writeTable(chdb, 'otel', 'otel_traces', spans);
      const { from, to } = await findWindow();
      const store = storeOf(await readAll('otel_traces'));
      for (const [begin, end] of [
        [0.2, 0.5],
        [0.5, 0.8],
      ] as const) {
        const at = (share: number): number => Math.floor(from + (to - from) * share);
        const window = { from: at(begin), to: at(end) };
        const { result } = await audit('', window);
        const expected = checkStore(selectWindow(store, window));
        assert.deepEqual(summarize(result), summarize(expected), `seed ${seed}, ${begin}`);
        assert.ok(result.spans > 0 && result.spans < spans.length);
      }
    }
  });

  test('spans that are stored twice count once', async () => {
    const spans = makeShop(600);
    const twice = spans.flatMap((span, at) => (at % 7 === 0 ? [span, span] : [span]));
    await writeTable(chdb, 'otel', 'otel_traces', twice);
    const expected = checkTraces(spans);
    const { result } = await audit('');
    assert.deepEqual(summarize(result), summarize(expected));
    const sampled = await audit('?most=600');
    assert.equal(sampled.seen.complete, false);
    assert.deepEqual(byName(sampled.result.edges), byName(expected.edges));
    assert.equal(sampled.result.spans, expected.spans);
  });

  test('large traces that are not counted are reported', async () => {
    const batches = Array.from({ length: 3 }, (_, at) => makeBatch(at, 600)).flat();
    await writeTable(chdb, 'otel', 'otel_traces', [...makeShop(600), ...batches]);
    const { result, seen } = await audit('?most=600');
    assert.equal(result.traces, 803);
    assert.match(
      seen.says,
      /^every call was counted but those of 3 traces of more than 1000 spans \(3603 spans\), /,
    );
    const { result: more, seen: some } = await audit('?most=4000');
    assert.match(some.says, /but those of [12] traces of more than 1000 spans/);
    assert.ok(more.edges.some(({ client, calls }) => client === 'batch' && calls >= 600));
  });

  test('a query may name 20,000 slices and 6,000 traces', async () => {
    const spans = makeShop(30);
    await writeTable(chdb, 'otel', 'otel_traces', spans);
    const clickhouse = await connectClickhouse(addressOf(''));
    const scope = {
      table: 'otel.otel_traces',
      from: 1_790_000_000_000_000_000n,
      to: 1_790_003_600_000_000_000n,
      ...{ longestTrace, slice: 1_000_000_000n },
    };
    const slices = Array.from({ length: 20_000 }, (_, at) => 1_790_000_000n + BigInt(at));
    const traceIds = Array.from({ length: 6_000 }, (_, at) => String(at).padStart(32, 'b'));
    try {
      const count = async (chosen: Parameters<typeof readChosen>[1]) =>
        (await Array.fromAsync(clickhouse.query(readChosen(scope, chosen), signal))).length;
      assert.equal(await count({ slices, traceIds }), spans.length);
      const [first] = spans
        .filter(({ kind, parentSpanId }) => kind === 'SERVER' && parentSpanId === null)
        .slice(3);
      assert.equal(await count({ slices: [], traceIds: [...traceIds, first?.traceId ?? ''] }), 5);
      assert.equal(await count({ slices: [], traceIds: [] }), 0);
    } finally {
      await clickhouse.close();
    }
  });

  test('a sampled broken edge has the counts of all its calls', async () => {
    const spans = makeShop(1_500);
    await writeTable(chdb, 'otel', 'otel_traces', spans);
    const { result, seen, store } = await audit('?most=600');
    const expected = await judgeAll('otel_traces');
    assert.deepEqual(byName(result.edges), byName(expected.edges));
    assert.equal(result.findings[0]?.id, 'split-trace');
    assert.equal(result.findings[0]?.count, expected.findings[0]?.count);
    assert.equal(seen.complete, false);
    assert.match(seen.says, /the traces of \d+ of \d+ slices of the window were judged/);
    assert.ok((store?.size ?? 0) < spans.length / 2);
  });

  test('several tables are judged as one', async () => {
    const spans = makeShop(300);
    const isOfSecond = ({ traceId }: Span): boolean => traceId.charCodeAt(14) % 2 === 0;
    await writeTable(chdb, 'otel', 'otel_traces', spans);
    await writeTable(
      chdb,
      'otel',
      'shard_1',
      spans.filter((span) => !isOfSecond(span)),
    );
    await writeTable(chdb, 'otel', 'shard_2', spans.filter(isOfSecond));
    const whole = await audit('');
    const shards = await audit('?table=shard_1&table=shard_2');
    assert.deepEqual(summarize(shards.result), summarize(whole.result));
    await chdb.client.command({ query: 'DROP TABLE IF EXISTS otel.shards' });
    await chdb.client.command({
      query: "CREATE TABLE otel.shards AS otel.shard_1 ENGINE = Merge('otel', '^shard_[12]$')",
    });
    const merged = await audit('?table=shards');
    assert.deepEqual(summarize(merged.result), summarize(whole.result));
  });

  test('minutes that the edges view has counted are not counted again, all others are', async () => {
    const spans = makeShop(300);
    await writeTable(chdb, 'otel', 'otel_traces', spans);
    const whole = await audit('');
    const [table = '', view = ''] = renderEdgesView('otel', 'otel_traces').split(';\n\n');
    // The table's TTL would delete the spans, which are older.
    await chdb.client.command({ query: table.replace(/ TTL .*$/, '') });
    try {
      // Runs the view's query at a time that is some minutes after the spans.
      const select = view.slice(view.indexOf('SELECT'), view.lastIndexOf(';'));
      const first = Number((spans[0]?.startTimeUnixNano ?? 0n) / 60_000_000_000n) * 60;
      for (const later of [1, 2]) {
        const clock = `toDateTime(${first + (later + 6) * 60}, 'UTC')`;
        await chdb.client.command({
          query: `INSERT INTO otel.propagation_edges ${select.replaceAll("now('UTC')", clock)}`,
        });
      }
      assert.deepEqual(summarize((await audit('')).result), summarize(whole.result));
      await chdb.client.command({
        query:
          'ALTER TABLE otel.propagation_edges UPDATE found = found * 2 WHERE item = 1 SETTINGS mutations_sync = 2',
      });
      const counted = (await audit('')).result.edges.reduce((sum, { calls }) => sum + calls, 0);
      assert.ok(counted > whole.result.edges.reduce((sum, { calls }) => sum + calls, 0));
      await chdb.client.command({ query: view.slice(0, view.lastIndexOf(';')) });
      await chdb.client.command({ query: 'DROP VIEW otel.propagation_edges_view' });
    } finally {
      await chdb.client.command({ query: 'DROP TABLE otel.propagation_edges' });
    }
  });

  test('only the attributes that rules read leave the database', async () => {
    await writeTable(chdb, 'otel', 'otel_traces', makeShop(1));
    const { store } = await audit('');
    assert.equal(store?.values.find('user.email'), null);
    assert.notEqual(store?.values.find('server.address'), null);
  });

  test('wrong limits and names are reported in one line', async () => {
    await writeTable(chdb, 'otel', 'otel_traces', makeShop(20));
    const refusals: readonly (readonly [string, RegExp])[] = [
      [
        '?table=missing',
        /^clickhouse=http:\/\/127\.0\.0\.1:\d+\/otel: there is no table missing in otel; name it with \?table=$/,
      ],
      ['?memory=1000', /a query needs more than 1000 bytes of memory; shorten the window, or set \?memory=$/],
      ['?cluster=none', /there is no cluster none; SELECT cluster FROM system\.clusters lists them$/],
    ];
    for (const [options, message] of refusals) {
      await assert.rejects(
        audit(options),
        (error) => error instanceof SourceError && message.test(error.message),
      );
    }
    const closed = readClickhouseAddress('http://127.0.0.1:9/otel', {});
    const source = await createClickhouseSource(closed, { judge: (store) => checkStore(store) });
    await assert.rejects(source.readWindow(hour, signal), /connection refused; is ClickHouse running there/);
    await source.close();
  });

  test('the database refuses every write of the connection', async () => {
    const settings = { readonly: '2' } as const;
    await assert.rejects(
      chdb.client.query({
        query: 'INSERT INTO otel.otel_traces (TraceId) SELECT 1',
        clickhouse_settings: settings,
      }),
    );
  });
});

test('user and password are read from the URL or the environment, and the name never shows the password', () => {
  const environment = { CLICKHOUSE_USER: 'me', CLICKHOUSE_PASSWORD: 'secret' };
  const address = readClickhouseAddress('https://host:8443/otel', environment);
  assert.deepEqual([address.username, address.password], ['me', 'secret']);
  const own = readClickhouseAddress('https://auditor:p%40ss@host:8443/otel', environment);
  assert.deepEqual(
    [own.username, own.password, own.name],
    ['auditor', 'p@ss', 'clickhouse=https://host:8443/otel'],
  );
  for (const wrong of [
    'nothing',
    'https://host/',
    'https://host/a/b',
    'https://host/otel?tabel=x',
    'https://host/otel?most=0',
    'https://user:p%ss@host/otel',
    'https://host/%zz',
  ]) {
    assert.throws(() => readClickhouseAddress(wrong, {}), SourceError, wrong);
  }
});

test('a wrong password is refused and not shown', { skip: withoutChdb }, async () => {
  const chdb = await startChdb('right');
  try {
    const address = readClickhouseAddress(chdb.url.replace('//', '//auditor:wrong@').concat('/otel'), {});
    const source = await createClickhouseSource(address, { judge: (store) => checkStore(store) });
    await assert.rejects(source.readWindow(hour, signal), (error) => {
      assert.ok(error instanceof SourceError);
      assert.match(
        error.message,
        /wrong name or password for auditor; set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD/,
      );
      assert.doesNotMatch(error.message, /wrong@|right/);
      return true;
    });
    await source.close();
  } finally {
    await chdb.stop();
  }
});

function byName(edges: Result['edges']): Result['edges'] {
  return edges.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
}

/** Leaves out the evidence, which may be other calls of the same kind. */
function summarize({ verdict, traces, spans, edges, findings, unjudged }: Result) {
  const told = findings.map(({ id, severity, client, server, protocol, confidence, count }) =>
    [id, severity, client, server, protocol, confidence, count].join(' '),
  );
  return { verdict, traces, spans, edges: byName(edges), findings: told.sort(), unjudged };
}

/** A trace of a batch job: a consumer that calls stock `calls` times. */
function makeBatch(number: number, calls: number): readonly Span[] {
  const [drawn] = makeShop(1);
  assert.ok(drawn);
  const traceId = String(number).padStart(32, 'c');
  const begin = drawn.startTimeUnixNano + BigInt(number) * 60_000_000_000n;
  const make = (part: number, parent: number | null, kind: Span['kind'], serviceName: string): Span => ({
    ...{ ...drawn, traceId, kind, serviceName, name: 'GET /batch' },
    spanId: String(part).padStart(16, 'c'),
    parentSpanId: parent === null ? null : String(parent).padStart(16, 'c'),
    startTimeUnixNano: begin + BigInt(part) * 1_000n,
    endTimeUnixNano:
      begin + (parent === null ? 9_000_000n : BigInt(part) * 1_000n + (kind === 'CLIENT' ? 5_000n : 1_000n)),
    resource: new Map([['service.name', serviceName]]),
  });
  return [
    make(0, null, 'CONSUMER', 'batch'),
    ...Array.from({ length: calls }, (_, call) => [
      make(2 * call + 1, 0, 'CLIENT', 'batch'),
      make(2 * call + 2, 2 * call + 1, 'SERVER', 'stock'),
    ]).flat(),
  ];
}

/** One trace each second: web -> orders -> stock. Every third call to stock begins its own trace, at another path. */
function makeShop(traces: number): readonly Span[] {
  return Array.from({ length: traces }, (_, number): readonly Span[] => {
    const begin = 1_790_000_000_000_000_000n + BigInt(number) * 1_000_000_000n;
    const id = (part: number): string =>
      (BigInt(number) * 16n + BigInt(part) + 1n).toString(16).padStart(15, '0').padStart(16, 'a');
    const traceId = (part: number): string => `${id(part)}${id(part + 1)}`;
    const isBroken = number % 3 === 0;
    const make = (
      part: number,
      parent: number | null,
      kind: Span['kind'],
      serviceName: string,
      name: string,
      attributes: readonly (readonly [string, string])[],
    ): Span => ({
      traceId: traceId(isBroken && part === 5 ? 8 : 1),
      spanId: id(part),
      parentSpanId: parent === null ? null : id(parent),
      traceState: '',
      flags: null,
      name,
      kind,
      startTimeUnixNano: begin + BigInt(part) * 5_000_000n,
      endTimeUnixNano: begin + BigInt(100 - part) * 1_000_000n,
      attributes: new Map([
        ['http.request.method', 'GET'],
        ['user.email', 'someone@example.org'],
        ...attributes,
      ]),
      links: [],
      status: { code: 'UNSET', message: '' },
      serviceName,
      resource: new Map([['service.name', serviceName]]),
      scopeName: 'http',
    });
    const client = (host: string, path: string) =>
      [
        ['url.full', `http://${host}${path}`],
        ['server.address', host],
        ['http.response.status_code', '200'],
      ] as const;
    const [host, path] = isBroken ? (['stock-b', '/count'] as const) : (['stock', '/stock'] as const);
    return [
      make(1, null, 'SERVER', 'web', 'GET /', [['http.route', '/']]),
      make(2, 1, 'CLIENT', 'web', 'GET', client('orders', '/orders')),
      make(3, 2, 'SERVER', 'orders', 'GET /orders', [['http.route', '/orders']]),
      make(4, 3, 'CLIENT', 'orders', 'GET', client(host, path)),
      make(5, isBroken ? null : 4, 'SERVER', 'stock', `GET ${path}`, [['http.route', path]]),
    ];
  }).flat();
}
