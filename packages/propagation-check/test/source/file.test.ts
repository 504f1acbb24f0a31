import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createFileSource, readSpanFile } from '../../src/source/file.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';

const capture = fileURLToPath(new URL('../decode/fixtures/grpc-unary.otlp.jsonl', import.meta.url));
const request = JSON.stringify(otlpRequest(otlpSpan()));

function write(test: TestContext, name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'file-'));
  test.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test('a file is read by trace id and by search', async () => {
  const source = createFileSource(capture);
  const all = await source.readAll();
  const [first] = all;
  assert.ok(first?.serviceName);
  const trace = await source.readTrace(first.traceId.toUpperCase());
  assert.deepEqual(
    trace,
    all.filter((span) => span.traceId === first.traceId),
  );
  const time = Number(first.startTimeUnixNano / 1_000_000n);
  const query = {
    service: first.serviceName,
    startTimeMin: time - 60_000,
    startTimeMax: time + 60_000,
    limit: 99,
  };
  assert.ok((await source.searchTraces(query)).length >= trace.length);
  assert.deepEqual(await source.searchTraces({ ...query, startTimeMax: time - 50_000 }), []);
  assert.deepEqual(await source.readTrace('f'.repeat(32)), []);
  await assert.rejects(source.readTrace('nonsense'), { name: 'SourceError' });
});

test('a search gives the newest traces', async (t) => {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'a' } }] };
  const spans = [1, 3, 2].map((second) =>
    otlpSpan({ traceId: String(second).repeat(32), startTimeUnixNano: `${second}000000000` }),
  );
  const document = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  const source = createFileSource(write(t, 'a.json', document));
  const found = await source.searchTraces({
    service: 'a',
    startTimeMin: 1_000,
    startTimeMax: 9_000,
    limit: 2,
  });
  assert.deepEqual(
    found.map((span) => span.traceId[0]),
    ['3', '2'],
  );
});

test('a 64-bit trace id is found by its 128-bit form', async (t) => {
  const source = createFileSource(write(t, 'z.json', '[{"traceId":"463ac35c9f6413ad","id":"1"}]'));
  assert.equal((await source.readTrace('0000000000000000463ac35c9f6413ad')).length, 1);
});

test('compressed files and standard input', async (t) => {
  assert.equal((await readSpanFile(write(t, 'a.json.gz', gzipSync(request)))).spans.length, 1);
  const stdin = Readable.from([Buffer.from(request.slice(0, 9)), Buffer.from(request.slice(9))]);
  assert.equal((await readSpanFile('-', { stdin })).spans.length, 1);
  await assert.rejects(readSpanFile('-', { stdin: Readable.from([]) }), {
    name: 'SourceError',
    message: /^standard input: empty; expected spans \(was it copied before/,
  });
});

test('every error names the file and the fault', async (t) => {
  const rejected = (path: string, message: string | RegExp, maxBytes = 1_000) =>
    assert.rejects(readSpanFile(path, { maxBytes }), { name: 'SourceError', message });
  await rejected('/no/such/file.json', '/no/such/file.json: no such file: there is no folder /no/such');
  await rejected(
    `${capture}/x`,
    `${relative(process.cwd(), capture)}/x: no such file: a part of the path is not a folder`,
  );
  await rejected(tmpdir(), `${tmpdir()}: a folder; name a file in it`);
  await rejected('a\0b', /^"a\\u0000b": not a valid path$/);
  await rejected(capture, /: larger than 1000 bytes; split it/);
  const empty = write(t, 'empty.json', '');
  await rejected(empty, /empty\.json: empty; expected spans \(was it copied before/);
  const cut = write(t, 'cut.jsonl', `${request}\n${request.slice(0, 20)}`);
  await rejected(cut, /cut\.jsonl: line 2: byte 20: the JSON ends early/);
  await rejected(
    write(t, 'bomb.gz', gzipSync(Buffer.alloc(100_000))),
    /bomb\.gz: gzip: uncompressed data is larger/,
  );
});

test('reading can be aborted', async () => {
  const abort = new AbortController();
  const endless = new Readable({ read() {} });
  endless.push('{');
  const reading = readSpanFile('-', { stdin: endless }, abort.signal);
  setImmediate(() => abort.abort(new Error('enough')));
  await assert.rejects(reading, { message: 'enough' });
});
