import { readFileSync, writeSync } from 'node:fs';
import { emitKeypressEvents, type Key as Keypress } from 'node:readline';
import { createLogUpdate } from 'log-update';
import type { Key } from './watch-screen.ts';

/** A terminal that only this program uses. */
export interface Terminal {
  readonly width: number;
  readonly height: number;
  draw(lines: readonly string[]): void;
  /** Restores the terminal. */
  close(): void;
}

export interface TerminalEvents {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
  /** The user ends the program: `null` for the key `q`, which is no interruption. */
  readonly onEnd: (signal: 'SIGINT' | null) => void;
}

/** Source: xterm, "XTerm Control Sequences", private modes 1049 and 25. */
const enterScreen = '\u001b[?1049h\u001b[H\u001b[2J';
const leaveScreen = '\u001b[?1049l\u001b[?25h';
const clearScreen = '\u001b[2J\u001b[H';

/** log-update ends each frame with a line feed, so the last line of the terminal stays empty. */
const lastLine = 1;

const keys: Readonly<Record<string, Key>> = {
  ...{ up: 'up', down: 'down', pageup: 'pageup', pagedown: 'pagedown', home: 'home', end: 'end' },
  ...{ return: 'enter', enter: 'enter', escape: 'escape', left: 'escape', backspace: 'escape' },
  ...{ f: 'finding', j: 'jaeger' },
};

/**
 * Whether this process group is in the foreground: a background job must not take the terminal. Only Linux says; elsewhere it is assumed.
 * Source: proc_pid_stat(5), fields pgrp and tpgid.
 */
export function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foreground;
  } catch {
    return true;
  }
}

/**
 * Takes over a terminal: alternative screen, no cursor, each key at once. The terminal is restored however the program ends, also by a
 * signal or an error; only SIGKILL leaves it as it is.
 */
export function openTerminal(
  input: typeof process.stdin,
  output: typeof process.stdout,
  events: TerminalEvents,
): Terminal {
  const screen = createScreen(input, output);
  const suspend = () => {
    screen.leave();
    process.kill(process.pid, 'SIGTSTP');
  };
  const resume = () => {
    screen.enter();
    events.onResize();
  };
  const take = (_: string | undefined, { name = '', ctrl = false }: Keypress) => {
    if (ctrl && name === 'c') events.onEnd('SIGINT');
    else if (ctrl && name === 'z') suspend();
    else if (name === 'q' && !ctrl) events.onEnd(null);
    else if (!ctrl && keys[name] !== undefined) events.onKey(keys[name]);
  };
  const resize = () => {
    if (screen.clear()) events.onResize();
  };
  emitKeypressEvents(input);
  input.on('keypress', take);
  output.on('resize', resize);
  process.on('SIGCONT', resume);
  process.on('exit', screen.leave);
  process.on('uncaughtExceptionMonitor', screen.leave);
  screen.enter();
  return {
    get width() {
      return output.columns;
    },
    get height() {
      return Math.max(1, output.rows - lastLine);
    },
    draw: screen.draw,
    close: () => {
      input.off('keypress', take);
      output.off('resize', resize);
      process.off('SIGCONT', resume);
      process.off('exit', screen.leave);
      process.off('uncaughtExceptionMonitor', screen.leave);
      screen.leave();
      input.pause();
    },
  };
}

/** The alternative screen of a terminal. */
function createScreen(input: typeof process.stdin, output: typeof process.stdout) {
  let isOpen = false;
  let frame = createLogUpdate(output);
  return {
    enter: () => {
      isOpen = true;
      output.write(enterScreen);
      frame = createLogUpdate(output);
      input.setRawMode(true);
      input.resume();
    },
    /** Writes at once, because the program may be about to end. */
    leave: () => {
      if (!isOpen) return;
      isOpen = false;
      try {
        input.setRawMode(false);
        writeSync(output.fd, leaveScreen);
      } catch {
        // The terminal is gone.
      }
    },
    /** @returns Whether there was a screen to clear. */
    clear: () => {
      if (!isOpen) return false;
      output.write(clearScreen);
      frame = createLogUpdate(output);
      return true;
    },
    draw: (lines: readonly string[]) => {
      // log-update 7 draws the frame after one that ends with an empty line one line too high, so no line is empty.
      if (isOpen) frame(lines.map((line) => line || ' ').join('\n'));
    },
  };
}
