import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Span } from 'propagation-check';
import { encodeOtlpLines } from 'propagation-check/kit';

/** Keeps the spans of a run that was judged wrongly: a fault that is missed once in many runs is found by them alone. */
export async function assertNone(problems: readonly string[], spans: readonly Span[]): Promise<void> {
  if (problems.length === 0) return;
  const kept = join(await mkdtemp(join(tmpdir(), 'fault-matrix-')), 'spans.otlp.jsonl');
  await writeFile(kept, encodeOtlpLines(spans));
  assert.fail([...problems, `the spans: ${kept}`].join('\n'));
}
