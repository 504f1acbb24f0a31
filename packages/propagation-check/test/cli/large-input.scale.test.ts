import assert from 'node:assert/strict';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeFolder, runCli, spawnCli } from './run-cli.ts';

/** Writes a file with this beginning and end, filled with `unit` in between. */
async function writeLarge(
  t: TestContext,
  [start, unit, end]: readonly [string | Uint8Array, string | Uint8Array, string],
  bytes: number,
): Promise<string> {
  const path = join(await makeFolder(t), 'large');
  const block = Buffer.alloc(1_048_575, unit);
  const file = await open(path, 'w');
  await file.write(Buffer.from(start));
  for (let written = 0; written < bytes; written += block.length) await file.write(block);
  await file.write(Buffer.from(end));
  await file.close();
  return path;
}

const little = { NODE_OPTIONS: '--max-old-space-size=150' };
const refusal =
  /^propagation-check: \S+large: byte 0: needs about \d+ MiB of memory, and Node may take \d+ MiB more; split it, or set NODE_OPTIONS=--max-old-space-size=\d+\n$/;

for (const [name, parts] of [
  ['a document of many empty objects', ['{"resourceSpans":[', '{},', '{}]}']],
  ['lines of empty objects', ['{"resourceSpans":[]}\n{}\n', '{}\n', '']],
] as const) {
  test(`${name} needs no memory, however large it is`, async (t) => {
    const path = await writeLarge(t, parts, 60 * 1_048_576);
    const { code, stderr } = await runCli(t, ['file', path], { env: little });
    assert.deepEqual([code, stderr], [2, '']);
  });
}

for (const [name, parts] of [
  ['a document that the strict decoder reads', ['{"resourceSpans":[{"scopeSpans":null},', '{},', '{}]}']],
  [
    'empty protobuf messages of which one is cut off',
    [Uint8Array.of(0x0a, 0x00), Uint8Array.of(0x0a, 0x00), ''],
  ],
] as const) {
  test(`${name}, larger than memory, is an error and not a crash`, async (t) => {
    const path = await writeLarge(t, parts, 60 * 1_048_576);
    const { code, stdout, stderr } = await runCli(t, ['file', path], { env: little });
    assert.match(stderr, refusal);
    assert.deepEqual([code, stdout], [2, '']);
  });
}

test('a document above the limit is not read to its end, compressed or not', async (t) => {
  const bomb = gzipSync(Buffer.alloc(520_000_000, 32), { level: 1 });
  const { code, stdout, stderr } = await runCli(t, ['file', '-'], { input: bomb });
  assert.equal(
    stderr,
    'propagation-check: standard input: larger than 512000000 bytes; split it, or keep only the traces in question\n',
  );
  assert.deepEqual([code, stdout], [2, '']);
});

test('Ctrl-C ends reading at once', async (t) => {
  const child = spawnCli(t, ['file', '-']);
  // Standard input stays open. Once it has accepted more than the buffers hold, the program is reading.
  await new Promise<void>((resolve) => child.stdin.write(Buffer.alloc(4_000_000, 32), () => resolve()));
  child.kill('SIGINT');
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [null, 'SIGINT']);
});
