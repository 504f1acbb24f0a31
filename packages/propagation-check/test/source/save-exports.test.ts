import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { readSpanFile } from '../../src/source/file.ts';
import { startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { openSave } from '../../src/source/save-exports.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { findFreePort } from '../free-ports.ts';
import { kept } from '../span/views-of.ts';

async function start(t: TestContext, name: string) {
  const folder = await mkdtemp(join(tmpdir(), 'save-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  const receiver = await startOtlpReceiver({ port: 0, openSinks: async () => [await openSave(path)] });
  t.after(() => receiver.close().catch(() => undefined));
  const post = async (body: string | Uint8Array, type: string) => {
    const response = await fetch(`${receiver.url}/v1/traces`, {
      method: 'POST',
      body: new Uint8Array(Buffer.from(body)),
      headers: { 'content-type': type },
    });
    assert.equal(response.status, 200);
  };
  return { path, receiver, post };
}

const traceId = Buffer.alloc(16, 1);
const span = {
  traceId,
  spanId: Buffer.alloc(8, 2),
  parentSpanId: Buffer.alloc(8, 3),
  kind: 3,
  flags: 0x301,
  startTimeUnixNano: 1_700_000_000_123_456_789n,
  endTimeUnixNano: 1_700_000_000_223_456_789n,
  name: 'GET /\u2028"',
  events: [{ name: 'exception', timeUnixNano: 1n }],
  links: [{ traceId, spanId: Buffer.alloc(8, 4) }],
  attributes: [
    { key: 'traceId', value: { value: { case: 'stringValue', value: 'AQEBAQ==' } } },
    { key: 'bytes', value: { value: { case: 'bytesValue', value: Buffer.from([255]) } } },
    { key: 'n', value: { value: { case: 'intValue', value: 2n ** 60n } } },
    { key: 'x', value: { value: { case: 'doubleValue', value: Number.NaN } } },
  ],
} as const;

function encode(...spans: object[]): Uint8Array {
  const request = create(ExportTraceServiceRequestSchema, { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  return toBinary(ExportTraceServiceRequestSchema, request);
}

test('the old content of the file stays until an export arrives', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'save-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'spans.jsonl');
  await writeFile(path, 'of the last run');
  await (await openSave(path)).close();
  assert.equal(await readFile(path, 'utf8'), 'of the last run');
});

for (const name of ['spans.jsonl', 'spans.jsonl.gz']) {
  test(`${name} has the received spans, which are read back unchanged`, async (t) => {
    const { path, receiver, post } = await start(t, name);
    await post(encode(span), 'application/x-protobuf');
    await post(
      JSON.stringify(otlpRequest({ ...otlpSpan(), events: [{ name: 'e' }] }), null, 2),
      'application/json',
    );
    await post('{}', 'application/json');
    const received = receiver.readAll();
    await receiver.close();
    const bytes = await readFile(path);
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    assert.equal(text.split('\n').length, 3, 'one line for each export with spans');
    const [first] = text.split('\n');
    const [saved] = JSON.parse(first ?? '').resourceSpans[0].scopeSpans[0].spans;
    assert.deepEqual(
      [saved.traceId, saved.kind, saved.startTimeUnixNano, saved.events[0].name],
      ['01'.repeat(16), 3, '1700000000123456789', 'exception'],
      'ids in hex, enums as numbers, 64 bits as text, and what no rule reads',
    );
    const { spans } = await readSpanFile(path);
    assert.deepEqual(kept(spans), received);
    assert.deepEqual(
      spans[0]?.attributes,
      new Map<string, unknown>([
        ['traceId', 'AQEBAQ=='],
        ['bytes', '/w=='],
        ['n', String(2n ** 60n)],
        ['x', Number.NaN],
      ]),
      'also attributes that no rule reads',
    );
    assert.equal((await stat(path)).mode & 0o077, 0, 'spans may hold secrets');
  });
}

test('rejected spans are not saved, so that the file can be read', async (t) => {
  const { path, receiver, post } = await start(t, 'spans.jsonl');
  await post(encode(span, { ...span, spanId: Buffer.alloc(8) }), 'application/x-protobuf');
  await post(JSON.stringify(otlpRequest(otlpSpan(), otlpSpan({ spanId: 'x' }))), 'application/json');
  const received = receiver.readAll();
  await receiver.close();
  const { spans } = await readSpanFile(path);
  assert.deepEqual(
    spans.map(({ spanId }) => spanId),
    received.map(({ spanId }) => spanId),
  );
  assert.equal(spans.length, 2);
});

test('a file that cannot be opened is an error, and the port is free again', async () => {
  const port = await findFreePort();
  await assert.rejects(
    startOtlpReceiver({ port, openSinks: async () => [await openSave(join(tmpdir(), 'no', 'such', 'x'))] }),
    { name: 'SourceError', message: /^--save .*: there is no folder .*\/no\/such$/ },
  );
  await (await startOtlpReceiver({ port })).close();
});

test('a full disk is an error at the end, and services do not wait for it', async (t) => {
  const receiver = await startOtlpReceiver({ port: 0, openSinks: async () => [await openSave('/dev/full')] });
  t.after(() => receiver.close().catch(() => undefined));
  const body = JSON.stringify(otlpRequest(otlpSpan({ name: 'x'.repeat(100_000) })));
  for (let count = 0; count < 20; count += 1) {
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${receiver.url}/v1/traces`, { method: 'POST', body, headers })).status, 200);
  }
  await assert.rejects(receiver.close(), {
    name: 'SourceError',
    message: /^--save \/dev\/full: the file is not complete: no space is left there/,
  });
});

test('an incomplete file is reported after the other sinks are closed', async () => {
  const ended: string[] = [];
  const other = {
    take: async () => {},
    close: async () => {
      await setImmediate();
      ended.push('other');
    },
  };
  const receiver = await startOtlpReceiver({
    port: 0,
    openSinks: async () => [await openSave('/dev/full'), other],
  });
  await fetch(`${receiver.url}/v1/traces`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify(otlpRequest(otlpSpan({ name: 'x'.repeat(100_000) }))),
  });
  await assert.rejects(receiver.close(), { message: /the file is not complete/ });
  assert.deepEqual(ended, ['other']);
});
