import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderGithub } from '../../src/report/github.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { createFileSource } from '../../src/source/file.ts';
import { quotePath } from '../../src/source/file-error.ts';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const result = checkFixtureDrawing('split-trace/broken.txt');
const details = { source: 'a file', reason: null, notes: [], collector: null };

test('reports that are read on other machines contain no local path', () => {
  for (const docsRoot of ['/usr/lib/node_modules/propagation-check/dist/', '../../tool/dist/']) {
    const options = { width: 200, color: false, docsRoot };
    for (const text of [renderJunit(result, details, options), renderGithub(result, details, options)]) {
      assert.match(text, /read +propagation-check explain split-trace/);
      assert.ok(!text.includes(docsRoot));
    }
    assert.ok(renderTerminal(result, details, options).includes(`${docsRoot}docs/findings/split-trace.md`));
  }
  const options = { width: 200, color: false, docsRoot: 'node_modules/propagation-check/dist/' };
  assert.match(renderJunit(result, details, options), /read +node_modules\/propagation-check\/dist\/docs/);
});

test('a path below the working directory is shown relative to it, others unchanged', () => {
  const inside = join(process.cwd(), 'spans', 'a.json');
  assert.equal(quotePath(inside), join('spans', 'a.json'));
  assert.equal(createFileSource(inside).name, `file=${join('spans', 'a.json')}`);
  for (const path of ['/elsewhere/a.json', '../a.json', 'a.json', process.cwd()])
    assert.equal(quotePath(path), path);
});
