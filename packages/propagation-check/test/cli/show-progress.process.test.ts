import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { entry, runCli } from './run-cli.ts';

const skip = spawnSync('script', ['--version']).error === undefined ? false : 'there is no `script`';

/** Enough lines for several pieces, each of which reports progress. */
const lines = `${JSON.stringify(otlpRequest(otlpSpan({ unread: 'x'.repeat(100_000) })))}\n`.repeat(50);

/** Milliseconds between two writes. During the first second no progress is shown. */
const betweenMs = 100;

/** Reads a named pipe at a terminal, and writes to it until the terminal shows the progress. */
async function readAtTerminal(t: TestContext, columns: number) {
  const folder = await mkdtemp(join(tmpdir(), 'progress-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const command = `stty cols ${columns}; exec ${process.execPath} ${entry} file ${path}`;
  const terminal = spawn('script', ['-qec', command, '/dev/null']);
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.on('data', (data) => {
    shown += String(data);
  });
  const ended = once(terminal, 'close');
  const pipe = await open(path, 'w');
  t.after(() => pipe.close().catch(() => undefined));
  while (!shown.includes('MB/s')) {
    await pipe.appendFile(lines);
    await setTimeout(betweenMs);
  }
  return { terminal, pipe, readShown: () => shown, ended };
}

/** The texts that a terminal shows of a line that is redrawn. */
function readLines(shown: string): readonly string[] {
  const esc = String.fromCharCode(0x1b);
  const redrawn = shown
    .split(`${esc}[1G`)
    .map((part) => part.replaceAll(new RegExp(`${esc}\\[[?\\d]*[a-zA-Z]`, 'g'), ''));
  return redrawn.flatMap((part) => part.split(/\r?\n/));
}

for (const columns of [60, 80]) {
  test(`a terminal of ${columns} columns shows the progress of reading, and then only the verdict`, {
    skip,
  }, async (t) => {
    const { pipe, readShown, ended } = await readAtTerminal(t, columns);
    await pipe.close();
    assert.deepEqual(await ended, [2, null]);
    const progress = readLines(readShown()).filter((line) => line.includes('MB/s'));
    assert.ok(progress.length > 0);
    for (const line of progress) assert.ok(line.length < columns, `${line.length}: ${line}`);
    const afterwards = readShown().split('[0K').at(-1) ?? '';
    assert.match(afterwards, /^\S*CANNOT TELL/, 'the line is gone');
  });
}

test('Ctrl-C leaves no progress line, and the cursor visible', { skip }, async (t) => {
  const { terminal, readShown, ended } = await readAtTerminal(t, 80);
  terminal.stdin.write('\u0003');
  assert.deepEqual(await ended, [130, null]);
  assert.ok(readShown().trimEnd().endsWith('[0K'), JSON.stringify(readShown().slice(-80)));
  assert.ok(!readShown().includes('[?25l'), 'it was never hidden');
});

test('a pipe gets only the verdict', async (t) => {
  const { stderr, stdout } = await runCli(t, ['file', '-'], { input: lines.repeat(3) });
  assert.equal(stderr, '');
  assert.match(stdout, /^CANNOT TELL/);
});
