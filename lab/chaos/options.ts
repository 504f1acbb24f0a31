import { Command, InvalidArgumentError } from 'commander';
import { UsageError } from 'propagation-check/kit';
import type { Fault } from './fault.ts';

export interface ChaosArguments {
  readonly only?: readonly string[];
  readonly runs?: number;
  /** Requests per second. */
  readonly rate: number;
  readonly short: boolean;
  readonly parallel: number;
  /** Seconds. */
  readonly patience: number;
  readonly engineRestart?: string;
  readonly save?: string;
  readonly json: boolean;
  readonly list: boolean;
}

/** @throws {CommanderError} when the arguments are not valid, and after `--help`. */
export function readArguments(argv: readonly string[]): ChaosArguments {
  return new Command('chaos')
    .description(
      'Break the real stack under load, mend it, and account for every span that ended in a service: lost, doubled, wrong.',
    )
    .exitOverride()
    .allowExcessArguments(false)
    .option('--only <fault...>', 'faults to make (default: all)')
    .option('--runs <n>', 'runs of each fault (default: 5, with --short 1)', parseWithin(1, 1000))
    .option('--rate <n>', 'requests a second', parseWithin(1, 1000), 50)
    .option('--short', 'shorter outages', false)
    .option('--parallel <n>', 'stacks side by side', parseWithin(1, 16), 1)
    .option(
      '--patience <seconds>',
      'spans are lost when nothing new has arrived for so long; the Collector waits 60 for an answer of Jaeger',
      parseWithin(1, 3600),
      90,
    )
    .option('--engine-restart <command>', 'allow restarting the engine, with this shell command')
    .option('--save <folder>', 'keep the logs of all containers')
    .option('--json', 'print the result as JSON', false)
    .option('--list', 'print the faults', false)
    .addHelpText(
      'after',
      '\nNeeds Docker with Compose, and no rights but those on the engine. Ctrl-C takes everything down again.' +
        '\nExit code: 0 nothing is lost, doubled or wrong, 1 something is, 2 a run could not be made.',
    )
    .parse(argv, { from: 'user' })
    .opts<ChaosArguments>();
}

/** @throws {UsageError} for an unknown name. */
export function selectFaults(
  faults: readonly Fault[],
  only: readonly string[] | undefined,
): readonly Fault[] {
  if (only === undefined) return faults;
  const names = faults.map(({ name }) => name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UsageError(
      `error: --only ${JSON.stringify(unknown)}: no such fault; there are ${names.join(', ')}`,
    );
  return faults.filter(({ name }) => only.includes(name));
}

function parseWithin(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`);
    return value;
  };
}
