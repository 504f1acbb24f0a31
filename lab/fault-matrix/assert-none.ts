import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Span } from 'propagation-check';
import { encodeOtlpLines } from 'propagation-check/kit';

/** Saves the spans of a run with problems: a fault that is missed in one of many runs cannot be reproduced without them. */
export async function assertNone(problems: readonly string[], spans: readonly Span[]): Promise<void> {
  if (problems.length === 0) return;
  const kept = join(await mkdtemp(join(tmpdir(), 'fault-matrix-')), 'spans.otlp.jsonl');
  await writeFile(kept, encodeOtlpLines(spans));
  assert.fail([...problems, `the spans: ${kept}`].join('\n'));
}
