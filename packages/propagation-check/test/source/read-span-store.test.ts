import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { cutPieces, endFinders, fillFrom } from '../../src/source/cut-pieces.ts';
import { readSpanFile } from '../../src/source/file.ts';
import { quotePath } from '../../src/source/file-error.ts';
import { readPieces } from '../../src/source/read-pieces.ts';
import { type ReadProgress, readSpanStore } from '../../src/source/read-span-store.ts';
import { SpanWriter } from '../../src/span/span-writer.ts';
import { cases } from '../cases.ts';
import { makeFolder } from '../cli/run-cli.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { kept, viewsOf } from '../span/views-of.ts';

const fixtures = join(import.meta.dirname, '../decode/fixtures');
const seed = 20261128;

async function write(t: TestContext, content: string | Uint8Array): Promise<string> {
  return join(await makeFolder(t, { spans: content }), 'spans');
}

function readText(text: string | Uint8Array) {
  return readSpanStore('-', { stdin: Readable.from([Buffer.from(text)]) });
}

test('every fixture of every format, also compressed, gives the same spans and format as readSpanFile', async () => {
  const files = globSync('*', { cwd: fixtures }).map((file) => join(fixtures, file));
  assert.ok(files.length > 5);
  for (const file of files) {
    const expected = await readSpanFile(file).catch((error: Error) => error.message);
    for (const bytes of [readFileSync(file), gzipSync(readFileSync(file))]) {
      const found = await readText(bytes).catch((error: Error) => error.message);
      if (typeof found === 'string' || typeof expected === 'string') {
        assert.equal(String(found).replace('standard input', quotePath(file)), expected);
      } else {
        assert.equal(found.format, expected.format, file);
        assert.deepEqual(viewsOf(found.store), kept(expected.spans), file);
      }
    }
  }
});

const spans = Array.from({ length: 6 }, (_, index) =>
  otlpSpan({ spanId: String(index + 1).repeat(16), name: `${index}` }),
);
const lines = spans.map((span) => `${JSON.stringify(otlpRequest(span))}\n`);

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

const alone = { threads: 1, startAfter: 0 };

test('pieces and chunks may end at any byte', async () => {
  const bytes = Buffer.from(lines.join('\n'));
  const sizes = fc.array(fc.nat(300), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400 }), sizes, async (pieceSize, chunkSizes) => {
      const pieces = cutPieces(fillFrom(chunksOf(bytes, chunkSizes)), endFinders['json-lines'], {
        size: pieceSize,
      });
      const writer = new SpanWriter();
      await readPieces('json-lines', pieces, writer, alone);
      assert.deepEqual(
        viewsOf(writer.finish()).map(({ name }) => name),
        ['0', '1', '2', '3', '4', '5'],
      );
    }),
    { seed, numRuns: cases(300) },
  );
});

test('an error names the line of the file, whatever the pieces', async () => {
  const bytes = Buffer.from([lines[0], '\n\n', lines[1], '{"resourceSpans":[}\n', lines[2]].join(''));
  for (let size = 1; size < bytes.length; size += 7) {
    const pieces = cutPieces(fillFrom(chunksOf(bytes, [])), endFinders['json-lines'], { size });
    await assert.rejects(readPieces('json-lines', pieces, new SpanWriter(), alone), {
      name: 'DecodeError',
      message: 'line 5: byte 18: not valid JSON at "}"',
    });
  }
  await assert.rejects(readText(`${lines.join('')}{"a"`), {
    name: 'SourceError',
    message: /^standard input: line 7: byte 4: the JSON ends early, .*the file looks cut off/,
  });
});

test("a piece's memory is released when it is read, even if a worker still reads earlier pieces", async () => {
  const released: number[] = [];
  let ofOwnThread: readonly number[] = [];
  async function* listPieces() {
    for (const piece of [0, 1, 2]) {
      const { buffer } = Uint8Array.from(Buffer.from(lines[piece] ?? ''));
      yield { buffer, length: buffer.byteLength, release: () => released.push(piece) };
    }
    ofOwnThread = [...released];
  }
  const writer = new SpanWriter();
  await readPieces('json-lines', listPieces(), writer, { threads: 2, startAfter: 0 });
  assert.ok(ofOwnThread.includes(2));
  assert.deepEqual(released.sort(), [0, 1, 2]);
  assert.deepEqual(
    viewsOf(writer.finish()).map(({ name }) => name),
    ['0', '1', '2'],
  );
});

test('buffers of pieces are reused, and discarded at the end', async () => {
  const bytes = Buffer.from(lines.join('\n'));
  const size = 2 * Math.max(...lines.map(({ length }) => length)) + 2;
  const buffers: ArrayBuffer[] = [];
  for await (const { buffer, release } of cutPieces(fillFrom(chunksOf(bytes, [])), endFinders['json-lines'], {
    size,
  })) {
    buffers.push(buffer);
    release(buffer);
  }
  assert.ok(buffers.length > 2);
  assert.equal(new Set(buffers).size, 2);
  for (const { byteLength } of buffers) assert.equal(byteLength, 0);
});

/** More than a thread reads at once, so that workers start. */
const many = 10_000;
const large = Array.from({ length: many }, (_, index) =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: `service-${index % 7}` } }] },
        scopeSpans: [
          {
            scope: { name: `scope-${index % 3}` },
            spans: [
              otlpSpan({
                spanId: (index + 1).toString(16).padStart(16, '0'),
                name: `GET /orders/${index}`,
                startTimeUnixNano: `17000000${String(index).padStart(11, '0')}`,
                links: index % 250 === 0 ? [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }] : [],
                attributes: [
                  { key: 'url.path', value: { stringValue: `/orders/${index}` } },
                  { key: 'baggage.hello', value: { stringValue: 'world' } },
                  { key: 'unread', value: { stringValue: 'x'.repeat(1_600) } },
                ],
              }),
            ],
          },
        ],
      },
    ],
  }),
).join('\n');

test('workers read a large file in its order and report progress', async (t) => {
  const path = await write(t, large);
  const progress: ReadProgress[] = [];
  const { store } = await readSpanStore(path, { threads: 3, onProgress: (step) => progress.push(step) });
  const oneThread = await readSpanStore(path, { threads: 1 });
  assert.equal(store.size, many);
  assert.deepEqual(viewsOf(store), viewsOf(oneThread.store));
  assert.deepEqual(viewsOf(store), kept((await readSpanFile(path)).spans));
  const packed = await write(t, gzipSync(large, { level: 1 }));
  assert.deepEqual(viewsOf((await readSpanStore(packed, { threads: 2 })).store), viewsOf(store));
  assert.ok(progress.length > 3 && progress.every(({ size }) => size === large.length));
  assert.deepEqual(progress.at(-1)?.spans, many);
});

test('an error from a worker is that of the first wrong line', async (t) => {
  const wrong = large.split('\n');
  for (const line of [8_750, 9_750]) wrong[line] = '{"resourceSpans":[{"scopeSpans":5}]}';
  await assert.rejects(readSpanStore(await write(t, wrong.join('\n')), { threads: 2 }), {
    name: 'SourceError',
    message: /: line 8751: resourceSpans\[0\].scopeSpans: expected an array/,
  });
});

test('log lines and other formats among OTLP lines are read as in a whole file', async (t) => {
  const [first = ''] = large.split('\n');
  const zipkin = '{"traceId":"463ac35c9f6413ad","id":"1"}';
  const { store, format, notes } = await readSpanStore(await write(t, `${first}\nlistening\n${zipkin}\n`), {
    threads: 1,
  });
  assert.deepEqual([store.size, format, notes.length], [2, 'mixed', 2]);
});

test('a file that is too large for the memory is refused before it is read', async (t) => {
  const path = await write(t, lines.join(''));
  const file = await open(path, 'r+');
  // A sparse file, which takes no disk space, but minutes to read.
  await file.truncate(200 * 1024 ** 3);
  await file.close();
  await assert.rejects(readSpanStore(path, { maxMemoryBytes: 4 * 1024 ** 3 }), {
    name: 'SourceError',
    message:
      /spans: needs about 102400 MiB of memory, and 4096 MiB are free; split it by time or keep only the traces/,
  });
});

test('the uncompressed size of a file is estimated from its beginning', async (t) => {
  const path = await write(t, gzipSync(large));
  const needed = Buffer.byteLength(large) / 2;
  const reads: number[] = [];
  const onProgress = ({ spans }: ReadProgress) => reads.push(spans);
  await assert.rejects(readSpanStore(path, { maxMemoryBytes: needed * 0.8, onProgress }), {
    name: 'SourceError',
    message: /spans: needs about \d+ MiB of memory, and \d+ MiB are free/,
  });
  assert.deepEqual(reads, []);
  assert.ok((await readSpanStore(path, { maxMemoryBytes: needed * 1.2 })).store.size > 0);
});

test('reading standard input ends with an error once memory does not suffice', async () => {
  const many = Buffer.from(lines.join('').repeat(1_000));
  let given = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        given += many.length;
        yield many;
      }
    })(),
  );
  const maxMemoryBytes = 16 * 1024 * 1024;
  await assert.rejects(readSpanStore('-', { stdin: endless, maxMemoryBytes }), {
    name: 'SourceError',
    message:
      /^standard input: what came so far: needs about \d+ MiB of memory, and 16 MiB are free; split it by time/,
  });
  assert.ok(given < 100 * 1024 * 1024, `${given} bytes`);
});

test('a capture with more broken calls than Node can hold is refused before it is read, one with whole calls is not', async (t) => {
  const calls = Array.from({ length: 1_000 }, (_, call) => {
    const traceId = String(call + 1).padStart(32, '0');
    const attributes = [{ key: 'http.request.method', value: { stringValue: 'GET' } }];
    const client = otlpSpan({ traceId, spanId: 'a'.repeat(16), kind: 3, attributes });
    return [
      client,
      otlpSpan({ traceId, spanId: 'b'.repeat(16), parentSpanId: 'a'.repeat(16), kind: 2, attributes }),
    ];
  });
  const maxHeapBytes = 100_000;
  const whole = await write(t, calls.map((call) => `${JSON.stringify(otlpRequest(...call))}\n`).join(''));
  assert.equal((await readSpanStore(whole, { maxHeapBytes })).store.size, 2_000);
  const broken = await write(t, calls.map(([client]) => `${JSON.stringify(otlpRequest(client))}\n`).join(''));
  const message =
    /: some 1000 calls are broken, which take about 3 MiB, and Node may take 1 MiB more; split it by time/;
  const packed = gzipSync(await readFile(broken));
  await assert.rejects(readSpanStore(await write(t, packed), { maxHeapBytes }), { message });
  await assert.rejects(readSpanStore('-', { stdin: Readable.from([packed]), maxHeapBytes }), { message });
  const wholeAgain = Readable.from([await readFile(whole)]);
  assert.equal((await readSpanStore('-', { stdin: wholeAgain, maxHeapBytes })).store.size, 2_000);
  await assert.rejects(readSpanStore(broken, { maxHeapBytes }), {
    name: 'SourceError',
    message:
      /spans: some 1000 calls are broken, which take about 3 MiB, and Node may take 1 MiB more; split it by time, or set NODE_OPTIONS=--max-old-space-size=4$/,
  });
});

test('a missing file, a folder and an empty file are errors with the reason', async (t) => {
  await assert.rejects(readSpanStore('/nowhere'), { name: 'SourceError', message: '/nowhere: no such file' });
  await assert.rejects(readSpanStore(tmpdir()), { message: /: a folder; name a file in it, or read it/ });
  await assert.rejects(readSpanStore(await write(t, '')), { message: /: empty; expected spans \(was it / });
  await assert.rejects(readText(gzipSync(large).subarray(0, 5_000)), {
    message:
      'standard input: gzip: ends early, as if it was cut off; copy or fetch it again once it is written whole',
  });
  await assert.rejects(
    readSpanStore('-', { stdin: Readable.from([Buffer.alloc(100, '[')]), maxDocumentBytes: 50 }),
    { message: /larger than 50 bytes/ },
  );
});

test('an aborted signal ends reading', async (t) => {
  const path = await write(t, large);
  const controller = new AbortController();
  const reading = readSpanStore(path, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  });
  await assert.rejects(reading, { message: 'enough' });
});
