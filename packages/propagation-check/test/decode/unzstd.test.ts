import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { decodeCompressed } from '../../src/decode/detect-format.ts';
import { encodeOtlpProtobuf } from '../../src/decode/encode-otlp-protobuf.ts';
import { healthyCapture, readCapture } from '../cli/captures.ts';
import { executeCli, makeFolder } from '../cli/run-cli.ts';
import { drawTrace } from '../draw-trace.ts';
import { otlpRequest, otlpSpan } from './fixture.ts';
import { frame } from './frame.ts';

const request = JSON.stringify(otlpRequest(otlpSpan()));
const limit = 1_000_000;

test('zstd is uncompressed, also message by message', async () => {
  const message = zstdCompressSync(request);
  const ofProtobuf = zstdCompressSync(encodeOtlpProtobuf(drawTrace('SERVER web GET /  a1  0..10')));
  for (const [bytes, format, spans] of [
    [message, 'otlp-json', 1],
    [zstdCompressSync(`${request}\n${request}\n`), 'json-lines', 2],
    [frame(message, message), 'json-lines', 2],
    [frame(ofProtobuf, ofProtobuf), 'otlp-protobuf', 2],
  ] as const) {
    const decoded = await decodeCompressed(bytes, limit);
    assert.deepEqual([decoded.format, decoded.spans.length], [format, spans]);
  }
});

test('zstd data that is cut off, damaged or too large is refused', async () => {
  const message = zstdCompressSync(request);
  const refuses = (bytes: Uint8Array, reason: RegExp, most = limit) =>
    assert.rejects(decodeCompressed(bytes, most), { name: 'DecodeError', message: reason });
  await refuses(message.subarray(0, -9), /^zstd: .*copy or fetch it again/);
  await refuses(
    frame(message, message).subarray(0, -9),
    /^byte \d+: the export request is cut off; copy or fetch it again/,
  );
  await refuses(message, /^zstd: uncompressed data is larger than 50 bytes/, 50);
  await refuses(frame(message, message), /^zstd: .* larger than/, request.length + 9);
  const lines = 2 * (request.length + 1);
  await refuses(frame(message, message), /^zstd: .* larger than/, lines - 1);
  assert.equal((await decodeCompressed(frame(message, message), lines)).spans.length, 2);
  const damaged = Buffer.from(message).fill(0xff, 8);
  await refuses(
    frame(message, damaged),
    new RegExp(`^byte ${message.length + 4}: zstd: .*copy or fetch it again`),
  );
});

test('a capture in zstd gives the same report', async (t) => {
  const capture = readCapture(healthyCapture);
  const folder = await makeFolder(t, { plain: capture, zstd: zstdCompressSync(capture) });
  const [plain, zstd] = await Promise.all(
    ['plain', 'zstd'].map((name) => executeCli('file', `${folder}/${name}`)),
  );
  assert.deepEqual([zstd?.code, zstd?.stdout], [plain?.code, plain?.stdout]);
});
