import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { findingIds } from '../../src/rules/finding.ts';
import { executeCli } from './run-cli.ts';

for (const id of findingIds) {
  test(`explain ${id} prints its page`, async () => {
    const page = await readFile(new URL(`../../../../docs/findings/${id}.md`, import.meta.url), 'utf8');
    assert.deepEqual(await executeCli('explain', id), { code: 0, stdout: page, stderr: '' });
  });
}

test('explain alone lists every finding with its title', async () => {
  const { code, stdout } = await executeCli('explain');
  assert.equal(code, 0);
  assert.deepEqual(stdout.match(/^\S+/gm), [...findingIds]);
  assert.match(stdout, /^split-trace +One request, two traces$/m);
});

test('checks of doctor, and ids with that word, are suggested too; nothing where no id is like the name', async () => {
  for (const [name, meant] of [
    ['propagator-not-instaled', 'did you mean propagator-not-installed? `'],
    ['missing', 'java-agent-missing, missing-call, missing-client, missing-server? `'],
    ['context-lost', 'did you mean context-lost-in-process? `'],
    ['', '"": no finding and no check of doctor has this name; `'],
    ['nope', 'has this name; `propagation-check explain` lists the findings'],
  ] as const) {
    const { code, stderr } = await executeCli('explain', name);
    assert.equal(code, 2);
    assert.ok(stderr.includes(meant), stderr);
  }
});

test('a name that is no finding ends with one line and the nearest name', async () => {
  const { code, stdout, stderr } = await executeCli('explain', 'split-tracr');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^propagation-check: explain "split-tracr": .*did you mean split-trace\?.*\n$/);
});
