import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deliverSignals, divertSignals, Interruption } from '../../src/cli/interruption.ts';
import { execute } from '../../src/cli/run-program.ts';
import { makeFolder } from '../cli/run-cli.ts';

test('a signal before the start of the command ends the check, and the command never runs', async (t) => {
  const mark = join(await makeFolder(t), 'started');
  const script = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`;
  const said: string[] = [];
  const codes: number[] = [];
  const args = ['exec', '--settle', '1ms', '--', process.execPath, '-e', script];
  await execute(['node', 'propagation-check', ...args], {
    output: { width: 100, color: false, print: async () => undefined },
    writeError: (text) => said.push(text),
    setExitCode: (code) => codes.push(code),
    signal: AbortSignal.abort(new Interruption('SIGINT')),
    endOnSignals: () => undefined,
  });
  assert.deepEqual(codes, [130]);
  assert.deepEqual(said, ['propagation-check: interrupted, no verdict\n']);
  assert.equal(existsSync(mark), false);
});

/** Runs `run`, and returns the SIGHUPs that arrive meanwhile. */
async function hear(run: () => Promise<void>): Promise<readonly string[]> {
  const heard: string[] = [];
  const listen = () => void heard.push('own');
  process.on('SIGHUP', listen);
  try {
    await run();
    return heard;
  } finally {
    process.off('SIGHUP', listen);
  }
}

test('a pending signal is delivered', async () => {
  const heard = await hear(async () => {
    // Resumes in a poll phase, which is farthest from the next one.
    await stat('.');
    process.kill(process.pid, 'SIGHUP');
    await deliverSignals();
  });
  assert.deepEqual(heard, ['own']);
});

test('a signal that is pending while signals are diverted or restored is not lost', async () => {
  const diverted: string[] = [];
  const heard = await hear(async () => {
    process.kill(process.pid, 'SIGHUP');
    const restore = divertSignals((signal) => void diverted.push(signal));
    await deliverSignals();
    process.kill(process.pid, 'SIGHUP');
    restore();
    await deliverSignals();
  });
  assert.deepEqual([diverted, heard], [['SIGHUP'], ['own']]);
});
