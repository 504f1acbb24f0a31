import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import xterm from '@xterm/headless';
import { entry, makeFolder } from '../run-cli.ts';

/** The reason to skip tests without `script`, otherwise false. Source: util-linux, script(1). */
export const noPseudoTerminal =
  spawnSync('script', ['--version']).error === undefined ? (false as const) : 'there is no `script`';

export interface PseudoTerminal {
  /** The text of the screen, as a terminal shows it. */
  screen(): string;
  /** Resolves when the screen matches. */
  waitFor(pattern: RegExp): Promise<string>;
  type(keys: string): void;
  resize(columns: number, rows: number): Promise<void>;
  /** Sends a signal to the program, not to `script`. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when the program has ended. */
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  /** The screen, including what it showed before the program. */
  readonly screen: string;
  readonly isAlternate: boolean;
  readonly hasCursor: boolean;
  /** The output of `stty -a`. */
  readonly modes: string;
}

/** Runs the command line in a pseudo terminal, whose screen an emulator draws. */
export async function openPseudoTerminal(
  t: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<PseudoTerminal> {
  const folder = await makeFolder(t);
  const [device, pid, modes] = ['tty', 'pid', 'modes'].map((name) => join(folder, name));
  // Without other variables, because some say that a coding agent reads the output.
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const [columns, rows] = [80, 24];
  const quoted = args.map((arg) => `'${arg}'`).join(' ');
  const command = [
    `stty cols ${columns} rows ${rows}; tty > ${device}; echo before`,
    `sh -c 'echo $$ > ${pid}; exec ${process.execPath} ${entry} "$@"' sh ${quoted}`,
    `code=$?; stty -a > ${modes}; echo after; exit $code`,
  ].join('; ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env },
  });
  t.after(() => child.kill('SIGKILL'));
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  let written = '';
  let onDrawn = () => {};
  child.stdout.on('data', (data) => {
    written += String(data);
    emulator.write(data, () => onDrawn());
  });
  const read = () =>
    Array.from(
      { length: emulator.rows },
      (_, row) =>
        emulator.buffer.active.getLine(emulator.buffer.active.baseY + row)?.translateToString(true) ?? '',
    ).join('\n');
  const readState = async (path = '') => (await readFile(path, 'utf8')).trim();
  const ended = once(child, 'close').then(async ([code]): Promise<Ended> => {
    await new Promise<void>((resolve) => emulator.write('', resolve));
    return {
      code,
      screen: read(),
      isAlternate: emulator.buffer.active.type === 'alternate',
      hasCursor: written.lastIndexOf('[?25h') >= written.lastIndexOf('[?25l'),
      modes: await readState(modes),
    };
  });
  return {
    screen: read,
    waitFor: async (pattern) => {
      while (!pattern.test(read())) {
        const drawn = new Promise<void>((resolve) => {
          onDrawn = resolve;
        });
        const over = ended.then(({ screen }) => {
          throw new Error(`it ended before ${pattern}:\n${screen}`);
        });
        await Promise.race([drawn, over]);
      }
      return read();
    },
    type: (keys) => void child.stdin.write(keys),
    resize: async (cols, lines) => {
      emulator.resize(cols, lines);
      const { status, stderr } = spawnSync(
        'stty',
        ['-F', await readState(device), 'cols', String(cols), 'rows', String(lines)],
        { encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(stderr);
    },
    kill: async (signal) => void process.kill(Number(await readState(pid)), signal),
    ended,
  };
}
