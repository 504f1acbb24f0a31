import { styleText } from 'node:util';

const defaultWidth = 100;

export interface Output {
  /** Columns of the terminal, or of `COLUMNS` where the output goes elsewhere. */
  readonly width: number;
  /** By NO_COLOR, FORCE_COLOR and whether the output is a terminal. */
  readonly color: boolean;
  /** Resolves when the text is written, or when nobody reads any more (`| head`, a closed terminal). */
  print(text: string): Promise<void>;
}

export function openOutput(): Output {
  const { stdout, stderr } = process;
  // A reader that has gone away is no failure of the check.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const columns = stdout.columns ?? Number(process.env.COLUMNS);
  return {
    width: columns > 0 ? columns : defaultWidth,
    color: styleText('red', '-', { stream: stdout }) !== '-',
    print: (text) => new Promise((resolve) => stdout.write(text, () => resolve())),
  };
}
