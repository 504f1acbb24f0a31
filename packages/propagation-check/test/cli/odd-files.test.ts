import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { link, mkdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeSnapshot } from '../../src/sink/snapshot.ts';
import { replaceFile } from '../../src/source/replace-file.ts';
import { healthyCapture, readCapture } from './captures.ts';
import { assertIsRefusal, entry, executeCli, makeFolder } from './run-cli.ts';

async function makeSpans(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<string> {
  return makeFolder(t, { 'spans.jsonl': readCapture(healthyCapture), ...files });
}

test('errors name links in a cycle and names that are too long, for every option', async (t) => {
  const folder = await makeSpans(t);
  await symlink('loop', join(folder, 'loop'));
  const loop = join(folder, 'loop');
  const spans = join(folder, 'spans.jsonl');
  const circle = /loop: a symbolic link that leads back to itself$/m;
  assertIsRefusal(await executeCli('file', loop), circle);
  assertIsRefusal(await executeCli('file', spans, '--report', `json=${loop}`), circle);
  for (const option of ['--baseline', '--expectations', '--config', '--wire'])
    assertIsRefusal(await executeCli('file', spans, option, loop), circle);
  const long = join(folder, 'a'.repeat(300));
  assertIsRefusal(await executeCli('file', long), /: the name is too long$/m);
  assertIsRefusal(await executeCli('file', spans, '--report', `json=${long}`), /the name is too long$/m);
});

const withoutDevices = process.platform === 'linux' ? false : 'this system has no /dev/full';

test('an endless device is refused as a settings file', { skip: withoutDevices }, async (t) => {
  const folder = await makeSpans(t);
  const spans = join(folder, 'spans.jsonl');
  for (const option of ['--baseline', '--expectations', '--config'])
    assertIsRefusal(
      await executeCli('file', spans, option, '/dev/zero'),
      /\/dev\/zero: more than 16777216 bytes; name another file$/m,
    );
});

test('a settings file that is too large is refused', async (t) => {
  const folder = await makeSpans(t, { large: '' });
  const large = join(folder, 'large');
  await truncate(large, 16 * 1024 * 1024 + 1);
  assertIsRefusal(
    await executeCli('file', join(folder, 'spans.jsonl'), '--expectations', large),
    /large: more than 16777216 bytes; name another file$/m,
  );
});

test('a device is written to, and never replaced', { skip: withoutDevices }, async () => {
  await replaceFile('/dev/null', 'text');
  assert.ok((await stat('/dev/null')).isCharacterDevice());
  await assert.rejects(replaceFile('/dev/full', 'text'), { code: 'ENOSPC' });
});

test('output that cannot be printed is an error, also of --help and --version', {
  skip: withoutDevices,
}, async (t) => {
  const folder = await makeSpans(t);
  const full = openSync('/dev/full', 'w');
  for (const args of [['--help'], ['tap', '--help'], ['--version'], ['file', join(folder, 'spans.jsonl')]]) {
    const { status, stderr } = spawnSync(process.execPath, [entry, ...args], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    assert.equal(
      stderr,
      'propagation-check: standard output cannot be written: no space is left there; free some, or write elsewhere\n',
    );
    assert.equal(status, 2);
  }
});

test('an empty baseline is refused, and filled by --update-baseline', async (t) => {
  const folder = await makeSpans(t, { 'empty.yaml': '', 'comment.yaml': '# nothing yet\n' });
  const spans = join(folder, 'spans.jsonl');
  for (const name of ['empty.yaml', 'comment.yaml']) {
    const args = ['file', spans, '--baseline', join(folder, name)];
    assertIsRefusal(await executeCli(...args), /: empty; write "known: \[\]", or let --update-baseline/);
    assert.equal((await executeCli(...args, '--update-baseline')).code, 0);
    assert.match(await readFile(join(folder, name), 'utf8'), /^known: \[\]$/m);
  }
});

test('errors on numbers and times say which values are allowed', async () => {
  const tap = ['tap', '--listen', '0', '--target', 'http://127.0.0.1:9'];
  for (const [args, message] of [
    [['sink', '--memory', '1TB'], /--memory "1TB": expected a whole number of MiB or GiB, 16MiB or more/],
    [['audit', '--until', '400d', 'a'], /--until "400d": expected a time .*, or how long ago, up to 366d: /],
  ] as const)
    assertIsRefusal(await executeCli(...args), message);
  const { status, stderr } = spawnSync(
    process.execPath,
    [entry, ...tap, '--fault', 'delay', '--fault-rate', '-1'],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual(
    [status, stderr],
    [2, 'propagation-check tap: --fault-rate -1: write a number from 0 to 1\n'],
  );
});

test('no report overwrites an input, under whatever name', async (t) => {
  const spans = readCapture(healthyCapture);
  const manifest = '{"name":"web"}\n';
  const folder = await makeFolder(t, { 'a.jsonl': spans, 'package.json': manifest, 'bad.json': 'no spans' });
  const inFolder = (name: string) => join(folder, name);
  await mkdir(inFolder('in'));
  await writeFile(inFolder('in/b.jsonl'), spans);
  await link(inFolder('a.jsonl'), inFolder('hard'));
  await link(inFolder('in/b.jsonl'), inFolder('hard-in'));
  await symlink('package.json', inFolder('soft'));
  const cases: readonly (readonly string[])[] = [
    ['audit', inFolder('in'), '--report', `json=${inFolder('hard-in')}`],
    ['audit', inFolder('i*/*.jsonl'), '--report', `json=${inFolder('in/b.jsonl')}`],
    ['audit', '--source', `file=${inFolder('in')}`, '--report', `json=${inFolder('hard-in')}`],
    ['audit', '--source', `file=${inFolder('a.jsonl')}`, '--report', `json=${inFolder('hard')}`],
    [
      'trace',
      '--service',
      'a',
      '--source',
      `file=${inFolder('a.jsonl')}`,
      '--report',
      `json=${inFolder('hard')}`,
    ],
    ['audit', inFolder('in'), inFolder('bad.json'), '--report', `json=${inFolder('hard-in')}`],
    ['doctor', folder, '--report', `sarif=${inFolder('soft')}`],
    ['doctor', folder, '--report', `json=${inFolder('package.json')}`],
  ];
  for (const args of cases) {
    const { code, stdout, stderr } = await executeCli(...args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /has another use in this command|is a file of the project/);
  }
  assert.equal(await readFile(inFolder('package.json'), 'utf8'), manifest);
  for (const name of ['a.jsonl', 'in/b.jsonl'])
    assert.deepEqual(await readFile(inFolder(name)), Buffer.from(spans), name);
});

test('no report and no saved spans overwrite the counters of a sink', async (t) => {
  const state = join(await makeSpans(t), 'counters.json');
  const folder = join(state, '..');
  await writeSnapshot(state, {
    totals: {
      ...{ received: 1, invalid: 0, late: 0, judged: 0, tracesJudged: 0, batches: 0, failedBatches: 0 },
      ...{ repeated: 0, judgeMs: 0, closed: { inactive: 0, age: 0, memory: 0, stop: 0 } },
    },
    exports: { received: 0, refused: { memory: 0, backlog: 0, bodies: 0, invalid: 0, fault: 0 } },
    lost: 0,
    edges: [],
  });
  const before = await readFile(state, 'utf8');
  await link(state, join(folder, 'hard'));
  await symlink(state, join(folder, 'soft'));
  const holds = /holds the counters of propagation-check sink \(--state\); name another file$/m;
  for (const name of ['hard', 'soft', 'counters.json']) {
    const path = join(folder, name);
    const spans = join(folder, 'spans.jsonl');
    assertIsRefusal(await executeCli('file', spans, '--report', `json=${path}`), holds);
    assertIsRefusal(await executeCli('exec', '--save', path, '--', 'true'), holds);
  }
  assert.equal(await readFile(state, 'utf8'), before);
});

const mayAll =
  process.platform === 'win32' || process.getuid?.() === 0 ? 'this user may read everything' : false;

test('the error names a folder without permission', { skip: mayAll }, async (t) => {
  const folder = await makeSpans(t);
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o300 });
  assertIsRefusal(await executeCli('doctor', closed), /closed: not allowed \(permission denied\)$/m);
  assertIsRefusal(await executeCli('audit', folder), /closed: not allowed \(permission denied\)$/m);
});

test('an address of another machine, and settings that are not text', async (t) => {
  const folder = await makeFolder(t, { bin: Buffer.from([0x89, 0, 0xff, 1]) });
  const spans = join(await makeSpans(t), 'spans.jsonl');
  // An address for documentation (RFC 5737), which no machine has.
  const elsewhere = ['exec', '--source', 'otlp=192.0.2.1:4318', '--', 'true'];
  assertIsRefusal(await executeCli(...elsewhere), /this machine does not have that address; 0\.0\.0\.0/);
  for (const option of ['--baseline', '--expectations', '--config'])
    assertIsRefusal(
      await executeCli('file', spans, option, join(folder, 'bin')),
      /bin:1:1: no text in UTF-8; expected YAML or JSON$/m,
    );
});
