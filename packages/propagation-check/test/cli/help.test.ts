import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/create-program.ts';
import { execute } from '../../src/cli/run-program.ts';
import type { Session } from '../../src/cli/session.ts';

const columns = 80;

function createSession(print: (text: string) => Promise<void>, width = columns): Session {
  return {
    output: { width, color: false, print },
    writeError: () => undefined,
    setExitCode: () => undefined,
    signal: new AbortController().signal,
    endOnSignals: () => undefined,
  };
}

async function readHelp(command: readonly string[], width?: number): Promise<string> {
  const printed: string[] = [];
  const session = createSession(async (text) => void printed.push(text), width);
  await execute(['node', 'propagation-check', ...command, '--help'], session);
  return printed.join('');
}

test('the help of each command fits a terminal of 80 columns', async () => {
  const { commands } = createProgram(createSession(async () => {}));
  assert.ok(commands.length >= 4);
  for (const command of [[], ...commands.map((each) => [each.name()])]) {
    const help = await readHelp(command);
    assert.match(help, /^Usage: /);
    assert.deepEqual(
      help.split('\n').filter((line) => line.length > columns),
      [],
      command.join(' '),
    );
  }
});

test('at 40 columns a description is below its option', async () => {
  const help = await readHelp(['file'], 40);
  assert.match(
    help,
    /\n {2}--wire <file>\n {4}records of propagation-check tap, or\n {4}a pcap of plain HTTP; may be\n {4}repeated\n/,
  );
  assert.match(
    help,
    /\nExit code: 0 every edge is intact, 1 an\nedge is broken, 2 cannot tell, 130 after\nCtrl-C, 143 after SIGTERM: 128 \+ the\nnumber of the signal\.\n/,
  );
  const { commands } = createProgram(createSession(async () => {}));
  for (const command of commands) {
    // The usage and the examples are not wrapped.
    const [prose = ''] = (await readHelp([command.name()], 40)).split('\nExamples:\n');
    assert.deepEqual(
      prose.split('\n').filter((line) => line.length > 40 && !line.startsWith('Usage: ')),
      [],
      command.name(),
    );
  }
});
