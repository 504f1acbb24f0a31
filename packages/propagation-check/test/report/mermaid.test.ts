import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawSequence } from '../../src/report/mermaid.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

/** The note on the broken call of a drawing. */
function readNote(path: string): string {
  const { spans, expectation, headers } = readFixtureDrawing(path);
  const [finding] = checkTraces(spans, { expectation, headers }).findings;
  assert.ok(finding);
  const diagram = drawSequence(finding, spans) ?? '';
  return /Note over s\d+: (.*)/.exec(diagram)?.[1] ?? '';
}

const decodeEntities = (text: string) =>
  text.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

for (const [path, cut] of [
  ['context-lost-in-process/broken.txt', 'the context was lost before this trace began'],
  ['client-span-lost/broken.txt', 'the parent of the span below, '],
  ['wrong-parent/broken.txt', 'the parent of the span below, '],
  ['split-trace/broken.txt', 'the context is lost here: '],
] as const)
  test(`the note on a call is the text at the cut of the other reports: ${path}`, () => {
    const note = decodeEntities(readNote(path));
    assert.ok(note.startsWith(cut), note);
  });
