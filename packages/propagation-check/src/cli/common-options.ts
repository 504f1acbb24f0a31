import { type Command, Option } from 'commander';
import type { Expectation, ExpectedEdge } from '../expect/expectation.ts';
import { reportNames } from '../report/reports.ts';
import { sourceSpecs } from '../source/source-specs.ts';
import { append } from '../util/append.ts';
import type { FailOn } from '../verdict/decide-verdict.ts';
import { addConfiguration, type RefuseOptions } from './apply-configuration.ts';
import {
  type Entries,
  parseCaFile,
  parseCollectorUrl,
  parseHeaderField,
  parseMetricsUrl,
  parsePath,
} from './parse-argument.ts';
import { parseReport, type ReportTarget } from './parse-report.ts';
import type { Session } from './session.ts';
import { timeOption } from './time-option.ts';

/** The options of every check. Times in milliseconds. */
export interface CheckArguments {
  readonly expect?: readonly ExpectedEdge[];
  readonly expectations?: string;
  readonly wire?: readonly string[];
  readonly project?: string;
  readonly collectorMetrics?: URL;
  readonly ca?: string;
  readonly timeout: number;
  readonly report?: readonly ReportTarget[];
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
  readonly failOn: FailOn;
  /** The expectation of the configuration file; used where no expectations file is named. */
  readonly expectation?: Expectation;
  readonly toleratedPeers?: readonly string[];
  /** The path of the configuration file that was read. */
  readonly configFile?: string;
}

export interface SourceArguments extends CheckArguments {
  readonly source: string;
  readonly header?: Entries;
  readonly forward?: URL;
  readonly save?: string;
  readonly wait: number;
  readonly settle: number;
}

/** Adds the options of every check. Call it after the other options of the command are added. */
export function addCheckOptions(command: Command, session: Session, refuseOptions?: RefuseOptions): Command {
  command
    .option(
      '--expect <path>',
      `edges that must exist, "a -> b -> c"; may be repeated. An edge of a service without spans is undecided (exit code 2) if another service may be meant`,
      parsePath,
    )
    .option(
      '--expectations <file>',
      'YAML file of edges that must, may and must not exist; see expectation.schema.json',
    )
    .option(
      '--wire <file>',
      'records of propagation-check tap, or a pcap of plain HTTP; may be repeated',
      append,
    )
    .option(
      '--project <folder>',
      'folder with the files of the services: what doctor finds there ranks the possible causes',
    )
    .option(
      '--collector-metrics <url>',
      "the Collector's own metrics, http://localhost:8888/metrics",
      parseMetricsUrl,
    )
    .option('--ca <file>', 'PEM file with a certificate authority to trust', parseCaFile)
    .addOption(timeOption('--timeout <time>', 'timeout of each HTTP request', 15_000))
    .option(
      '--report <report>',
      `format of the report: ${reportNames.join(', ')} (default: tree on a terminal, otherwise terminal); NAME=FILE writes it to a file; may be repeated`,
      parseReport,
    )
    .option('--json', 'short for --report json')
    .option('--explain', 'print why nothing is reported for a call whose other side is missing')
    .option('--baseline <file>', 'file of known breaks; only new ones fail')
    .option('--update-baseline', 'add new breaks to the --baseline, and remove repaired ones')
    .addOption(
      new Option('--fail-on <severity>', 'lowest severity that gives exit code 1')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .addHelpText('after', exitCodeHelp);
  return addConfiguration(command, session, refuseOptions);
}

/** Adds the options of checks to a command that reads a source, and refuses those that do nothing for that source. */
export function addSourceCheckOptions(command: Command, session: Session): Command {
  return addCheckOptions(command, session, async (isGiven) => {
    const { refuseOptionsOfSource } = await import('./refuse-options-of-source.ts');
    refuseOptionsOfSource(command, isGiven);
  });
}

/** @param waitMs How long to wait for spans by default. */
export function addSourceOptions(command: Command, waitMs: number): Command {
  const where = `where the spans are: ${sourceSpecs.slice(0, 4).join(', ')}`;
  return addReceiverOptions(command.option('--source <source>', where), waitMs);
}

/** The options of `addSourceOptions` without `--source`. */
export function addReceiverOptions(command: Command, waitMs: number): Command {
  return command
    .option(
      '--header <field>',
      "header of requests to the source, or to the Collector of --forward: 'Authorization: Bearer …'; may be repeated",
      parseHeaderField,
    )
    .option(
      '--forward <url>',
      'with --source otlp: forward everything that arrives to a Collector, over OTLP/HTTP: http://collector:4318',
      parseCollectorUrl,
    )
    .option(
      '--save <file>',
      'with --source otlp: replace the content of the file by the spans that arrive, as OTLP JSON Lines; with gzip if its name ends in .gz',
    )
    .addOption(timeOption('--wait <time>', 'how long spans may take to arrive', waitMs))
    .addOption(
      timeOption(
        '--settle <time>',
        'judge missing spans when no span has arrived for this long; exporters send every 5s by default',
        6_000,
      ),
    );
}

/** The option of commands whose requests are part of the check. */
export function allowFailedRequests(): Option {
  return new Option(
    '--allow-failed-requests',
    'accept requests that fail (no answer, or status 400 or more), and judge only the traces',
  );
}

/** The last part of the help of each command that checks. */
export const exitCodeHelp = `
Exit code: 0 every edge is intact, 1 an edge is broken, 2 cannot tell,
130 after Ctrl-C, 143 after SIGTERM: 128 + the number of the signal.`;
