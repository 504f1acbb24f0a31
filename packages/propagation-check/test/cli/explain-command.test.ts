import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { layMarkdown } from '../../src/cli/lay-markdown.ts';
import { findingIds } from '../../src/rules/finding.ts';
import { executeCli, runCli } from './run-cli.ts';

for (const id of findingIds) {
  test(`explain ${id} prints its page`, async () => {
    const page = await readFile(new URL(`../../../../docs/findings/${id}.md`, import.meta.url), 'utf8');
    const { code, stdout, stderr } = await executeCli('explain', id);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(stdout.split(/\s+/), page.split(/\s+/), 'lines are broken elsewhere');
  });
}

test('explain alone lists every finding with its title', async () => {
  const { code, stdout } = await executeCli('explain');
  assert.equal(code, 0);
  assert.deepEqual(stdout.match(/^\S+/gm), [...findingIds]);
  assert.match(stdout, /^split-trace +One request, two traces$/m);
});

test('checks of doctor, and ids that contain the word, are suggested too; nothing for a name unlike any id', async () => {
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

test('an unknown finding is an error of one line with the nearest name', async () => {
  const { code, stdout, stderr } = await executeCli('explain', 'split-tracr');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^propagation-check: explain "split-tracr": .*did you mean split-trace\?.*\n$/);
});

suite('a page in a terminal', () => {
  const code = ['```', 'service-a  SERVER  GET /call-b  |----------------|', '```'];
  const page = [
    '# split-trace',
    '',
    'One request left two traces: a CLIENT span',
    'has no child.',
    '',
    '1. A hop removes the header,',
    '   or a proxy does.',
    '- short',
    '',
    ...code,
    'After it.',
    '',
  ].join('\n');

  test('wraps paragraphs and list items at its width, and leaves code as it is', () => {
    assert.deepEqual(layMarkdown(page, 24), [
      '# split-trace',
      '',
      'One request left two',
      'traces: a CLIENT span',
      'has no child.',
      '',
      '1. A hop removes the',
      '   header, or a proxy',
      '   does.',
      '- short',
      '',
      ...code,
      'After it.',
    ]);
    const [, , paragraph, , item] = layMarkdown(page, 100);
    assert.equal(paragraph, 'One request left two traces: a CLIENT span has no child.');
    assert.equal(item, '1. A hop removes the header, or a proxy does.');
  });

  test('the page and the list of all findings follow COLUMNS', async (t) => {
    for (const args of [['explain'], ['explain', 'header-stripped']]) {
      const { stdout } = await runCli(t, args, { env: { COLUMNS: '60' } });
      const prose = stdout.replaceAll(/^```[^`]*^```$/gm, '').split('\n');
      const long = prose.filter((line) => line.length > 60 && !/^\||\S{40}/.test(line));
      assert.deepEqual(long, [], args.join(' '));
    }
  });
});
