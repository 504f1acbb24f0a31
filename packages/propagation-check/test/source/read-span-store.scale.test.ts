/** Reads several large files into the columns of one writer. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSpansInto } from '../../src/source/read-span-store.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { SpanWriter } from '../../src/span/span-writer.ts';
import { makeFolder } from '../cli/run-cli.ts';
import { drawSplitCall } from '../draw-trace.ts';

/** Large enough that room for the rest of the file is reserved after its first piece. */
const fileBytes = 20_000_000;

test('room is reserved for the rest of a file, but not again for earlier files', async (t) => {
  const lines = encodeOtlpLines(drawSplitCall());
  const folder = await makeFolder(t, { 'spans.jsonl': lines.repeat(Math.ceil(fileBytes / lines.length)) });
  const writer = new SpanWriter();
  for (let file = 0; file < 6; file += 1)
    await readSpansInto(writer, join(folder, 'spans.jsonl'), { threads: 1 });
  const { length: reserved } = writer.columns.starts;
  assert.ok(reserved < writer.rows * 2.5, `room for ${reserved} rows, and ${writer.rows} are there`);
});
