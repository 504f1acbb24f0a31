import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClickhouseAddress } from '../../src/audit/clickhouse/clickhouse-address.ts';
import { createClickhouseSource } from '../../src/audit/clickhouse/clickhouse-source.ts';
import { SourceError } from '../../src/source/source.ts';
import { checkStore } from '../../src/verdict/check-traces.ts';
import { startHttpServer } from '../source/http-server.ts';

const { signal } = new AbortController();
const window = { from: 0, to: 1_000 };

for (const [name, status, body, message] of [
  [
    'an error of the server after the first rows is told',
    200,
    '{"name":"Timestamp","type":"DateTime64(9)"}\nCode: 159. DB::Exception: Timeout exceeded: elapsed 600 s. (TIMEOUT_EXCEEDED) (version 25.3.1.1)\n',
    /a query took more than 600 s/,
  ],
  [
    'an answer of another shape is told',
    200,
    '{"name":1}\n',
    /a row of the answer: .*, not as ClickHouse does; use its HTTP port \(8123, with TLS 8443\)$/,
  ],
  [
    'the web page of another server is told',
    404,
    '<html>\n404 Not Found</html>',
    /: it answered a web page, not as ClickHouse does; use its HTTP port/,
  ],
  [
    'a web page that looks like a result is told',
    200,
    'Welcome\nto nginx\n',
    /: it answered “Welcome”, not as ClickHouse does/,
  ],
  ['an answer without a text is told', 200, '', /: it answered no row, not as ClickHouse does/],
] as const) {
  test(name, async (t) => {
    const { origin } = await startHttpServer(t, (_, response) => response.writeHead(status).end(body));
    const address = readClickhouseAddress(`${origin}/otel`, {});
    const source = await createClickhouseSource(address, { judge: (store) => checkStore(store) });
    t.after(() => source.close());
    await assert.rejects(
      source.readWindow(window, signal),
      (error) => error instanceof SourceError && message.test(error.message),
    );
  });
}

test('the error names a port without TLS', async (t) => {
  const { host } = await startHttpServer(t, (_, response) => response.end());
  const address = readClickhouseAddress(`https://${host}/otel`, {});
  const source = await createClickhouseSource(address, { judge: (store) => checkStore(store) });
  t.after(() => source.close());
  await assert.rejects(source.readWindow(window, signal), /this port does not speak TLS; use http:\/\//);
});

test('the error names a certificate authority that cannot be read', async () => {
  const address = readClickhouseAddress('https://127.0.0.1:9/otel', {});
  await assert.rejects(
    createClickhouseSource(address, { judge: (store) => checkStore(store), caFile: '/none/ca.pem' }),
    /--ca \/none\/ca\.pem: no such file: there is no folder \/none$/,
  );
});

test('a defect of this program is not reported as an answer of the server', async (t) => {
  const { origin } = await startHttpServer(t, (_, response) => response.end());
  const address = readClickhouseAddress(`${origin}/otel`, {});
  const source = await createClickhouseSource(address, { judge: (store) => checkStore(store) });
  t.after(() => source.close());
  const mistake = new TypeError('a is not a function');
  const broken = Object.defineProperty(new AbortController().signal, 'addEventListener', {
    get() {
      throw mistake;
    },
  });
  await assert.rejects(source.readWindow(window, broken), mistake);
});
