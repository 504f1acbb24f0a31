// Run time of commands that have little to do, compared with Node without a program.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median } from '../../quantile.ts';
import { buildChecker } from '../build-checker.ts';
import { generateSpans } from './generate-spans.ts';

const rounds = 15;
const fewSpans = 10;

export interface StartRow {
  readonly name: string;
  /** Median run time of the command, and of Node without a program. */
  readonly milliseconds: number;
  readonly ofNode: number;
  readonly target: number | null;
}

/** Starts the commands of the published package in turns. */
export async function measureStarts(folder: string): Promise<readonly StartRow[]> {
  const cli = buildChecker();
  const path = join(folder, 'few-spans');
  await generateSpans(path, { spans: fewSpans, broken: 0, isOneTrace: false, format: 'json' });
  const commands = [
    { name: 'node -e 0', args: ['-e', '0'], target: null },
    { name: '--version', args: [cli, '--version'], target: 150 },
    { name: `file, ${fewSpans} spans`, args: [cli, 'file', path], target: 250 },
  ];
  const times = commands.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, { args }] of commands.entries()) times[index]?.push(timeOf(args));
  const medians = times.map(median);
  return commands.map(({ name, target }, index) => {
    const milliseconds = medians[index] ?? Number.NaN;
    return { ...{ name, target, milliseconds }, ofNode: milliseconds / (medians[0] ?? Number.NaN) };
  });
}

function timeOf(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}
