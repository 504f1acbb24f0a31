import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { entry, makeFolder, runCli, spawnCli } from '../cli/run-cli.ts';

const sender = fileURLToPath(new URL('send-spans.mjs', import.meta.url));
const send = (...args: readonly string[]) => ['--', process.execPath, sender, ...args];

const rows = [
  ['intact', '0', 0, /^INTACT /],
  ['broken', '0', 1, /^BROKEN /],
  ['nothing', '0', 2, /^CANNOT TELL /],
  ['intact', '7', 7, /^INTACT .*node\s+ended\s+with\s+exit\s+code\s+7/s],
  ['broken', '7', 7, /^BROKEN .*node\s+ended\s+with\s+exit\s+code\s+7/s],
  ['nothing', '7', 7, /^CANNOT TELL .*node\s+ended\s+with\s+exit\s+code\s+7/s],
] as const;
for (const [kind, end, code, said] of rows) {
  test(`${kind}, and the command ends with ${end}: exit code ${code}`, async (t) => {
    const result = await runCli(t, ['exec', '--settle', '300ms', ...send(kind, end)]);
    assert.deepEqual([result.code, result.stdout], [code, 'sent\n'], result.stderr);
    assert.match(result.stderr, said);
  });
}

test('one whole call does not hide calls of an uninstrumented client', async (t) => {
  for (const more of [[], ['--expect', 'web -> orders']]) {
    const result = await runCli(t, ['exec', '--settle', '300ms', ...more, ...send('partly')]);
    assert.equal(result.code, 2, result.stderr);
    assert.match(
      result.stderr.replace(/\s+/g, ' '),
      /^CANNOT TELL web -> orders: 6 requests of web show no call to it/,
    );
  }
});

test('traces without a span of their call are noted', async (t) => {
  const { code, stderr } = await runCli(t, ['exec', '--settle', '300ms', '--json', ...send('aside')]);
  assert.equal(code, 0, stderr);
  assert.match(JSON.parse(stderr).notes.join(), /^not judged: 3 traces began at stock during the requests/);
});

test('calls whose other side may have ended before its export are noted', async (t) => {
  const args = ['exec', '--settle', '300ms', '--json'];
  const { code, stderr } = await runCli(t, [...args, ...send('unexported')]);
  assert.equal(code, 0, stderr);
  assert.match(
    JSON.parse(stderr).notes.join('\n'),
    /^if a process of node sent the 1 request to web whose parent span never arrived, or answered at 127\.0\.0\.1:8083, and has an SDK, it may have ended .* SIGTERM, .*sdk\.shutdown\(\)/m,
  );
  const whole = await runCli(t, [...args, ...send('intact')]);
  assert.deepEqual(JSON.parse(whole.stderr).notes, []);
});

test('a failed request is reported, and fails unless it is allowed', async (t) => {
  const args = ['exec', '--settle', '300ms'];
  const doubtful = await runCli(t, [...args, ...send('intact', '0', '502')]);
  assert.equal(doubtful.code, 2);
  const headline = doubtful.stderr.replace(/\s+/g, ' ');
  assert.match(
    headline,
    /^CANNOT TELL 1 of 1 request failed \(1 answered with 502\); .*--allow-failed-requests/,
  );
  const allowed = await runCli(t, [...args, '--allow-failed-requests', ...send('intact', '0', '502')]);
  assert.equal(allowed.code, 0);
  assert.match(allowed.stderr, /^INTACT .*1 of 1\s+request failed/s);
});

test('a failed request leaves the baseline unchanged, whatever else is broken', async (t) => {
  const root = await makeFolder(t, { 'known.yaml': 'known: []\n' });
  const args = ['exec', '--settle', '300ms', '--baseline', 'known.yaml'];
  const update = [...args, '--update-baseline'];
  for (const kind of ['intact', 'broken']) {
    const refused = await runCli(t, [...update, ...send(kind, '0', '502')], { cwd: root });
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(
      refused.stderr,
      /--update-baseline: traces are missing or requests failed, so that known\.yaml stays as it is$/m,
    );
    assert.equal(await readFile(join(root, 'known.yaml'), 'utf8'), 'known: []\n');
  }
  const allowed = [...update, '--allow-failed-requests', ...send('broken', '0', '502')];
  assert.equal((await runCli(t, allowed, { cwd: root })).code, 0);
  const doubtful = await runCli(t, [...args, ...send('broken', '0', '502')], { cwd: root });
  assert.equal(doubtful.code, 2);
  assert.match(doubtful.stderr, /^CANNOT TELL /);
});

test('an expectation without any span of its services gives no verdict', async (t) => {
  const args = ['exec', '--settle', '300ms', '--expect', 'web -> orders', '--json'];
  const { code, stderr } = await runCli(t, [...args, ...send('nothing')]);
  const { verdict, findings, reason } = JSON.parse(stderr);
  assert.deepEqual([code, verdict, findings], [2, 'unknown', []]);
  assert.match(reason, /^no span arrived in otlp=127\.0\.0\.1:\d+; no process of \S+ exports traces to it$/);
});

test('without spans the first line says so, and a few lines what to do', async (t) => {
  const { stderr } = await runCli(t, ['exec', '--settle', '1ms', ...send('nothing')]);
  const [first = '', ...rest] = stderr.trim().split('\n');
  assert.match(first, /^CANNOT TELL {2}no span arrived in otlp=\S+; no process of \S+ exports traces to it$/);
  assert.ok(rest.length <= 9, stderr);
  assert.match(
    rest.join('\n'),
    /^note {2}without an SDK: .*\nnote {2}with an SDK: .*\nnote {2}in containers: /s,
  );
});

test('without spans the variables that stop the export are the reason', async (t) => {
  const explain = async (env: NodeJS.ProcessEnv, ...command: readonly string[]) => {
    const args = ['exec', '--settle', '1ms', '--json', '--', ...command];
    const { code, stderr } = await runCli(t, args, { env });
    const { verdict, reason, notes } = JSON.parse(stderr);
    assert.deepEqual([code, verdict], [2, 'unknown']);
    return { reason: reason.replace(/^.*?; /, ''), notes: notes.join('\n') };
  };
  const [, ...silent] = send('nothing');
  const off = await explain({ OTEL_TRACES_SAMPLER: 'always_off' }, ...silent);
  assert.match(off.reason, /^OTEL_TRACES_SAMPLER=always_off is set, so that SDKs record no trace/);
  assert.doesNotMatch(off.notes, /SAMPLER/);
  const disabled = await explain({ OTEL_SDK_DISABLED: 'TRUE' }, ...silent);
  assert.match(disabled.reason, /^OTEL_SDK_DISABLED=TRUE is set, so that SDKs export nothing; unset it$/);
  const replaced = await explain({ OTEL_TRACES_EXPORTER: 'none' }, ...silent);
  assert.match(replaced.reason, /^no process of /);
});

test('standard input, output and arguments belong to the command', async (t) => {
  const script = 'process.stdin.pipe(process.stdout); console.log(process.argv.slice(1))';
  const command = [process.execPath, '-e', script, '--', '--report', '-x'];
  const result = await runCli(t, ['exec', '--settle', '1ms', '--', ...command], { input: 'typed' });
  assert.equal(result.stdout, "[ '--report', '-x' ]\ntyped");
});

test('the endpoint of the user is replaced, and noted; other variables stay', async (t) => {
  const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_BSP_SCHEDULE_DELAY', 'OTEL_LOGS_EXPORTER'];
  const script = `console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name])))`;
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_BSP_SCHEDULE_DELAY: '70' };
  const args = ['exec', '--settle', '1ms', '--', process.execPath, '-e', script];
  const { stdout, stderr } = await runCli(t, args, { env });
  assert.match(stdout, /^\["http:\/\/127\.0\.0\.1:\d+","70","none"\]\n$/);
  assert.match(
    stderr.replace(/\s+/g, ' '),
    /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/collector:4318 is replaced .*--forward http/,
  );
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
  test(`${signal} reaches the command once, and the spans that it sent are judged`, async (t) => {
    const child = spawnCli(t, ['exec', '--settle', '300ms', ...send('broken', 'wait')]);
    const stderr = text(child.stderr);
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk));
    await once(child.stdout, 'data');
    child.kill(signal);
    const [code] = await once(child, 'close');
    assert.deepEqual([code, output.join('')], [1, `ready\n${signal}\n`], await stderr);
    assert.match(await stderr, /^BROKEN /);
  });
}

const withoutTerminal =
  spawnSync('script', ['--version']).error === undefined ? false : 'there is no `script`';

test('at a terminal a signal prints how many further ones kill the command', {
  skip: withoutTerminal,
}, async (t) => {
  const waits = `process.on('SIGINT', () => undefined); console.log('ready'); setInterval(() => undefined, 60_000)`;
  const command = `exec ${process.execPath} ${entry} exec --settle 1ms -- ${process.execPath} -e "${waits}"`;
  const terminal = spawn('script', ['-qec', command, '/dev/null']);
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  const shows = async (words: string) => {
    while (!shown.includes(words)) {
      const [data] = await once(terminal.stdout, 'data');
      shown += String(data);
    }
  };
  await shows('ready');
  const ended = once(terminal, 'close');
  terminal.stdin.write('\u0003');
  await shows('node got SIGINT; 2 more signals (Ctrl-C) kill it');
  // Longer than `momentMs`, within which a repeated Ctrl-C counts once.
  const press = setInterval(() => terminal.stdin.write('\u0003'), 300);
  await shows('node got SIGINT; one more signal (Ctrl-C) kills it');
  const [code] = await ended;
  clearInterval(press);
  // On a busy machine the next key press may end the wait for spans: 130.
  assert.ok(code === 137 || code === 130, `${code} ${shown}`);
});

const withoutProc = existsSync('/proc/self/stat') ? false : 'this system has no /proc';

test('SIGTSTP stops the command too, and SIGCONT continues it', { skip: withoutProc }, async (t) => {
  const [, ...sending] = send('intact', 'wait');
  const command = ['sh', '-c', 'echo $$; exec "$@"', 'sh', ...sending];
  const child = spawnCli(t, ['exec', '--settle', '300ms', '--', ...command]);
  const stderr = text(child.stderr);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { value: pid = '' } = await lines.next();
  assert.equal((await lines.next()).value, 'ready');
  child.kill('SIGTSTP');
  await waitForState(t.signal, /T/, [pid, String(child.pid)]);
  child.kill('SIGCONT');
  await waitForState(t.signal, /[RS]/, [pid, String(child.pid)]);
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0, await stderr);
});

async function waitForState(signal: AbortSignal, state: RegExp, pids: readonly string[]): Promise<void> {
  for (const pid of pids) {
    while (!state.test(await readState(pid))) await delay(10, undefined, { signal });
  }
}

/** Whether the process runs; a zombie does not. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return withoutProc !== false || (await readState(String(pid))) !== 'Z';
  } catch {
    return false;
  }
}

/** Source: proc(5). */
async function readState(pid: string): Promise<string> {
  return /\) (\w)/.exec(await readFile(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
}

const withoutNamespaces =
  spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0
    ? false
    : 'unshare --pid is not allowed here';

test('as the first process of a container it does not wait for zombies', {
  skip: withoutNamespaces,
}, async (t) => {
  // The child of the shell ends before the program that replaces the shell. That program does not collect it, and leaves it to process 1.
  const wait = `while (!/\\) Z/.test(require('node:fs').readFileSync('/proc/' + process.argv[1] + '/stat', 'latin1')));`;
  const command = ['sh', '-c', 'true & exec "$0" -e "$1" $!', process.execPath, wait];
  const args = ['exec', '--settle', '1ms', '--json', '--', ...command];
  const asFirst = ['--pid', '--fork', '--mount-proc', process.execPath, entry, ...args];
  const child = spawn('unshare', asFirst, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const { notes } = JSON.parse(await text(child.stderr));
  assert.doesNotMatch(notes.join('\n'), /left behind/);
});

test('processes that outlive the command are ended, and the spans that they send then are judged', async (t) => {
  const script = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, [${JSON.stringify(sender)}, 'broken', 'wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => process.exit(0));
    console.log(child.pid);`;
  const { code, stdout, stderr } = await runCli(t, [
    'exec',
    '--settle',
    '300ms',
    '--',
    process.execPath,
    '-e',
    script,
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /left\s+behind\s+were\s+ended/);
  assert.equal(await isRunning(Number(stdout)), false);
});

test('one signal ends processes that outlive the command at once', async (t) => {
  // Ends neither at SIGTERM nor at SIGINT. It prints `ran on` if it still runs after half of the time that it may take to end.
  const stubborn = `
    process.on('SIGTERM', () => console.log('asked to end'));
    process.on('SIGINT', () => setTimeout(() => console.log('ran on'), 2500));
    setInterval(() => undefined, 1000);
    process.send('ready');
    process.disconnect();`;
  const script = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
    child.once('message', () => process.exit(0));`;
  const child = spawnCli(t, ['exec', '--settle', '1ms', '--', process.execPath, '-e', script]);
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line === 'asked to end') child.kill('SIGINT');
  }
  assert.deepEqual(
    lines.filter((line) => line === 'ran on'),
    [],
  );
});

test('reports are written to their files, annotations are below the report for people, and the job summary is appended to', async (t) => {
  const folder = await makeFolder(t, { 'summary.md': 'before\n' });
  const [junit, summary] = [join(folder, 'out.xml'), join(folder, 'summary.md')];
  const args = ['exec', '--settle', '300ms', '--report', `junit=${junit}`, '--report', 'github'];
  const env = { GITHUB_STEP_SUMMARY: summary };
  const { code, stdout, stderr } = await runCli(t, [...args, ...send('broken')], { env });
  assert.deepEqual([code, stdout], [1, 'sent\n']);
  assert.match(stderr, /^BROKEN .*\n::error title=Trace context propagation%3A BROKEN::/s);
  assert.match(await readFile(junit, 'utf8'), /<testcase [^>]+ name="web → orders">\n<failure /);
  assert.match(await readFile(summary, 'utf8'), /^before\n## Trace context propagation: BROKEN\n/);
});
