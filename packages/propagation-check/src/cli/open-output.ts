import type { Layout } from '../report/layout.ts';
import { UsageError } from './usage-error.ts';

const defaultWidth = 100;

export interface Output extends Layout {
  /**
   * Resolves when the text is written, or when nobody reads any more (`| head`, a closed terminal).
   * @throws {UsageError} when it cannot be written: a full disk must not look like a result.
   */
  print(text: string): Promise<void>;
}

/** Standard output, for results. */
export function openOutput(): Output {
  const { stdout, stderr, env } = process;
  // A reader that has gone away is no failure of the check.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  return {
    width: readWidth(stdout.columns, env.COLUMNS),
    color: wantsColor(stdout.isTTY === true, env),
    print: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (!error || isGone(error)) resolve();
          else reject(new UsageError(`standard output cannot be written: ${error.message}`));
        });
      }),
  };
}

function isGone(error: Error): boolean {
  return (
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'EIO')
  );
}

/** Columns of the terminal, or of `COLUMNS` where the output goes elsewhere. */
export function readWidth(columns: number | undefined, variable: string | undefined): number {
  const width = columns ?? (/^\d{1,5}$/.test(variable ?? '') ? Number(variable) : 0);
  return width > 0 ? width : defaultWidth;
}

/** FORCE_COLOR before NO_COLOR before whether it is a terminal, as Node itself decides. Source: no-color.org, force-color.org. */
export function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: terminal } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return isTerminal && terminal !== 'dumb';
}
