import type { WriteStream } from 'node:tty';
import type { Layout } from '../report/layout.ts';
import { describeFileError } from '../source/file-error.ts';
import { UsageError } from './usage-error.ts';

const defaultWidth = 100;

export interface Output extends Layout {
  /** A program may read the terminal too: see `isWatched`. */
  readonly isTerminal?: boolean;
  /**
   * Resolves when the text is written, or when the reader is gone (`| head`, a closed terminal).
   * @throws {UsageError} when it cannot be written: a full disk must not look like a result.
   */
  print(text: string): Promise<void>;
  /** The reader is gone, so that a command that runs until it is ended may end. */
  readonly isGone?: () => boolean;
}

/** Opens the output for results: standard output, unless a command that `exec` runs writes there. */
export function openOutput(stream: WriteStream = process.stdout): Output {
  const { stdout, stderr, env } = process;
  // A reader that is gone is not an error of the check.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  let hasGone = false;
  return {
    width: readWidth(stream.columns, env.COLUMNS),
    color: wantsColor(stream.isTTY === true, env),
    ascii: isAsciiLocale(env),
    isTerminal: stream.isTTY === true,
    print: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          hasGone ||= error !== null && error !== undefined && isGone(error);
          if (!error || hasGone) resolve();
          else
            reject(
              new UsageError(
                `${stream === stdout ? 'standard output' : 'standard error'} cannot be written: ${describeFileError(error)}`,
              ),
            );
        });
      }),
    isGone: () => hasGone,
  };
}

function isGone(error: Error): boolean {
  return (
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'EIO')
  );
}

/** The width of the terminal, or `COLUMNS` where the output is not a terminal. */
export function readWidth(columns: number | undefined, variable: string | undefined): number {
  const width = columns ?? (/^\d{1,5}$/.test(variable ?? '') ? Number(variable) : 0);
  return width > 0 ? width : defaultWidth;
}

/** FORCE_COLOR takes precedence over NO_COLOR, and both over the kind of output, as in Node.js. Source: no-color.org, force-color.org. */
export function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: terminal } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return isTerminal && terminal !== 'dumb';
}

/** Whether the locale names an encoding other than UTF-8, or none, as `C`. Without any locale the output is UTF-8. Source: POSIX, 8.2. */
export function isAsciiLocale({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '');
  return locale !== undefined && !/utf-?8/i.test(locale);
}
