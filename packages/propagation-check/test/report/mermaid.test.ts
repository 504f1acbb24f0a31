import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawSequence } from '../../src/report/mermaid.ts';
import { findings as prose } from '../../src/rules/findings.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

/** The note on the broken call of a drawing, and the title of the finding. */
function readNote(path: string): readonly (string | undefined)[] {
  const { spans, expectation, headers } = readFixtureDrawing(path);
  const [finding] = checkTraces(spans, { expectation, headers }).findings;
  assert.ok(finding);
  const diagram = drawSequence(finding, spans) ?? '';
  return [/Note over s\d+: (.*)/.exec(diagram)?.[1], prose[finding.id].title];
}

for (const path of ['context-lost-in-process/broken.txt', 'client-span-lost/broken.txt'])
  test(`the note on a call says only what its ids show: ${path}`, () => {
    const [note, title] = readNote(path);
    assert.equal(
      note?.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))),
      title,
    );
  });

test('the note says that the parent is another span', () => {
  assert.equal(readNote('wrong-parent/broken.txt')[0], 'the parent of its span is not the call');
});
