/** Without a result every report file gets the reason: otherwise a report of an earlier run would be read as the result of this one. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { healthyCapture, readCapture } from './captures.ts';
import { executeCli, linkNowhere, makeFolder, runCli } from './run-cli.ts';

const stale = '<testsuites tests="1" failures="0"/>';

suite('reports of a command that fails', () => {
  const causes: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a file that is missing', ['file', 'absent.json'], /absent\.json: no such file/],
    ['an unknown option', ['file', 'absent.json', '--expct', 'a -> b'], /unknown option &apos;--expct&apos;/],
    [
      'a wrong value before the report',
      ['file', 'absent.json', '--timeout', 'soon'],
      /--timeout "soon": expected a time/,
    ],
    [
      'a source that is down',
      ['trace', 'a1'.repeat(16), '--source', 'jaeger=http://127.0.0.1:1'],
      /jaeger=http:/,
    ],
    ['a command that is missing', ['exec', 'REPORT', '--', 'no-such-command'], /command not found/],
  ];
  for (const [cause, args, reason] of causes)
    test(cause, async (t) => {
      const path = join(await makeFolder(t, { 'out.xml': stale }), 'out.xml');
      const report = ['--report', `junit=${path}`];
      const at = args.indexOf('REPORT');
      const { code } = await executeCli(
        ...(at < 0 ? [...args, ...report] : args.toSpliced(at, 1, ...report)),
      );
      const written = await readFile(path, 'utf8');
      assert.equal(code, 2);
      assert.match(written, /<testsuites name="propagation-check" tests="1" failures="0" errors="1">/);
      assert.match(written, /<testcase [^>]*name="verdict">\n<error type="unknown" message="/);
      assert.match(written.replaceAll('&quot;', '"'), reason);
    });

  test('each report contains the reason', async (t) => {
    const folder = await makeFolder(t);
    const names = ['json', 'html', 'junit', 'markdown', 'github', 'terminal'];
    const reports = names.flatMap((name) => ['--report', `${name}=${join(folder, name)}`]);
    await executeCli('file', 'absent.json', ...reports);
    for (const name of names)
      assert.match(await readFile(join(folder, name), 'utf8'), /absent\.json: no such file/, name);
    const { verdict, spans, reason } = JSON.parse(await readFile(join(folder, 'json'), 'utf8'));
    assert.deepEqual([verdict, spans], ['unknown', 0]);
    assert.match(reason, /^\S*absent\.json: no such file/, 'without the name of the program');
    const path = join(folder, 'json');
    await executeCli('file', 'absent.json', '--nope', '--report', `json=${path}`);
    assert.match(JSON.parse(await readFile(path, 'utf8')).reason, /^unknown option '--nope'/);
  });

  test('a report file that is also an input is left alone', async (t) => {
    const folder = await makeFolder(t, { 'spans.jsonl': readCapture(healthyCapture) });
    const path = join(folder, 'spans.jsonl');
    for (const others of [[path], ['-', `--wire=${path}`], ['-', '--expectations', path]]) {
      const { code } = await executeCli('file', ...others, '--report', `json=${path}`);
      assert.deepEqual([code, await readFile(path)], [2, readCapture(healthyCapture)]);
    }
  });

  test('no output overwrites an input or another output', async (t) => {
    const [edges, config, known] = ['edges: { must: [a -> b] }\n', 'wait: 1s\n', 'known: []\n'];
    const folder = await makeFolder(t, { 'exp.yaml': edges, 'config.yaml': config, 'known.yaml': known });
    const [exp, own, base, fresh] = ['exp.yaml', 'config.yaml', 'known.yaml', 'new.yaml'].map((name) =>
      join(folder, name),
    );
    assert.ok(exp !== undefined && own !== undefined && base !== undefined && fresh !== undefined);
    const update = ['--update-baseline', '--baseline'];
    for (const [option, ...args] of [
      ['--save', '--save', exp, '--expectations', exp],
      ['--save', '--save', own, '--config', own],
      ['--save', '--save', base, '--baseline', base],
      ['--save', '--save', base, ...update, base],
      ['--save', '--save', fresh, ...update, fresh],
      ['--baseline', ...update, exp, '--expectations', exp],
      ['--report json', '--report', `json=${fresh}`, '--save', fresh],
      ['--report json', '--report', `json=${base}`, ...update, base],
    ]) {
      const { code, stderr } = await executeCli('exec', ...args, '--', process.execPath, '-e', '0');
      assert.equal(code, 2, args.join(' '));
      assert.match(
        stderr,
        new RegExp(
          `^propagation-check: ${option}: \\S+ has another use in this command; name another file\n$`,
        ),
      );
    }
    const toNone = ['--save', '/dev/null', '--report', 'json=/dev/null'];
    const { stderr } = await runCli(t, ['exec', ...toNone, '--', process.execPath, '-e', '0']);
    assert.doesNotMatch(stderr, /another use/);
    const kept = await Promise.all([exp, own, base].map((path) => readFile(path, 'utf8')));
    assert.deepEqual(kept, [edges, config, known]);
    assert.ok(!existsSync(fresh));
  });

  test('options of the command that exec runs are ignored', async (t) => {
    const path = join(await makeFolder(t, { 'out.xml': stale }), 'out.xml');
    const { code } = await executeCli('exec', 'no-such-command', '--report', `junit=${path}`);
    assert.deepEqual([code, await readFile(path, 'utf8')], [2, stale]);
  });

  test('after -- a file whose name looks like a report is not a report', async (t) => {
    const path = join(await makeFolder(t, { 'out.xml': stale }), 'out.xml');
    const { code } = await executeCli('file', '--', `--report=junit=${path}`);
    assert.deepEqual([code, await readFile(path, 'utf8')], [2, stale]);
  });

  test('a written report keeps the result when another cannot be written', async (t) => {
    const folder = await makeFolder(t, { 'spans.jsonl': readCapture(healthyCapture), 'out.xml': '' });
    const [spans, junit] = [join(folder, 'spans.jsonl'), join(folder, 'out.xml')];
    const json = await linkNowhere(folder);
    const { code } = await executeCli(
      ...['file', spans, '--report', `junit=${junit}`, '--report', `json=${json}`],
    );
    assert.equal(code, 2);
    assert.match(await readFile(junit, 'utf8'), / errors="0">/);
  });
});
