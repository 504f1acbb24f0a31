import { Command, InvalidArgumentError, Option } from 'commander';
import { toErrorLine, UsageError } from 'propagation-check/kit';
import type { Mode } from './assertion/statements.ts';

/** Options of both the demo and the assertion. */
export interface AssertionArguments {
  readonly mode: Mode;
  /** Seconds. */
  readonly timeout: number;
  readonly requests: number;
  readonly concurrency: number;
  readonly json: boolean;
}

/** Creates a command with the common options, which throws instead of exiting. */
export function createAssertionCommand(name: string, description: string): Command {
  treatEmptyAsUnset(['PROPAGATION', 'SERVICE_A_URL', 'JAEGER_URL', 'JAEGER_UI_URL', 'FAULT', 'COUNTERS_BY']);
  return new Command(name)
    .description(description)
    .exitOverride()
    .helpOption('-h, --help', 'print help')
    .configureOutput({ outputError: (text, write) => write(`${name}: ${toErrorLine(text)}\n`) })
    .allowExcessArguments(false)
    .addOption(
      new Option('--mode <mode>', 'who propagates: the instrumentations (auto) or the services themselves')
        .choices(['auto', 'manual'])
        .env('PROPAGATION')
        .default('auto'),
    )
    .option('--timeout <seconds>', 'how long an answer, and then its spans, may take', parseSeconds, 30)
    .option('--requests <n>', 'how many traces to check', parseCount, 1)
    .option('--concurrency <n>', 'how many at a time', parseCount, 10)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', '\nExit code: 0 every statement holds, 1 a statement fails, 2 no verdict.');
}

/** npm has this option too, and a user may have set it for all scripts. */
const ofNpm = 'json';

/**
 * Reads the arguments of a command.
 * @throws {UsageError} when npm has consumed options: it passes on options after `--`, and only the values of options before it.
 */
export function readArguments<Arguments extends AssertionArguments>(command: Command): Arguments {
  const taken = command.options
    .filter((option) => option.name() !== ofNpm)
    .filter((option) => process.env[`npm_config_${option.name().replaceAll('-', '_')}`] !== undefined)
    .map(({ flags }) => flags);
  if (taken.length === 0) return command.parse().opts<Arguments>();
  const words = `npm run ${command.name()} -- ${taken.join(' ')}`;
  throw new UsageError(`npm keeps options that do not stand behind -- for itself; write: ${words}`);
}

export function parseHttpUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new InvalidArgumentError('Expected an http:// or https:// URL.');
  }
  return url;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600))
    throw new InvalidArgumentError('Expected seconds, more than 0 and up to 3600.');
  return seconds;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!(Number.isInteger(count) && count >= 1 && count <= 100_000)) {
    throw new InvalidArgumentError('Expected an integer from 1 to 100000.');
  }
  return count;
}

/** Compose passes an unset variable on as an empty one. */
function treatEmptyAsUnset(names: readonly string[]): void {
  for (const name of names) if (process.env[name] === '') delete process.env[name];
}
