import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseCount } from '../cli/parse-argument.ts';
import { refuseSecond } from '../cli/refuse-second.ts';
import type { Session } from '../cli/session.ts';
import { timeOption } from '../cli/time-option.ts';
import { type Address, readAddress, readAddresses, toUrl } from './read-address.ts';
import type { SinkArguments } from './run-sink.ts';

const examples = `
Examples:
  $ propagation-check sink --state counters.json
      then let an otlp exporter of the Collector send to port 4317
  $ propagation-check sink --listen 0.0.0.0:4317 --metrics 0.0.0.0:9464
  $ curl -s http://localhost:9464/metrics | grep propagation_edge_calls

On its metrics port: /metrics (OpenMetrics with exemplars), /healthz, /readyz,
/api/quality-metrics?service=NAME for the page "Trace Quality" of Jaeger's UI.

On Ctrl-C and SIGTERM all traces are judged and the counters saved: exit code 0.
A process that is killed loses its open traces, and the counts since the last
save. Exit code 2: it could not start, or could not save its counters.`;

const mebibyte = 1024 * 1024;
const leastMemory = 16;

/** Adds the subcommand `sink`. */
export function addSinkCommand(program: Command, session: Session): void {
  const command = program
    .command('sink')
    .summary('judge the traces of a Collector continuously, and count calls for Prometheus')
    .description(
      'Receive the traces that a Collector exports (OTLP over gRPC and HTTP), judge each when it is complete, and count the calls of ' +
        'every edge by verdict and cause as metrics for Prometheus. A signal ends it.',
    )
    .addOption(
      new Option(
        '--listen <addresses>',
        '[host:]port, separated by commas; each accepts gRPC and HTTP; without a host 127.0.0.1',
      )
        .argParser(parseAddresses)
        .default(parseAddresses('4317,4318'), '4317,4318'),
    )
    .addOption(
      new Option('--metrics <address>', '[host:]port of the metrics')
        .argParser(parseAddress)
        .default(parseAddress('9464'), '9464'),
    )
    .addOption(
      timeOption(
        '--close-after <time>',
        'judge a trace when no span of it has arrived for this long',
        20_000,
      ),
    )
    .addOption(
      new Option('--memory <size>', 'memory for open traces; when it is full the oldest are judged early')
        .argParser(parseMemory)
        .default(parseMemory('512MiB'), '512MiB'),
    )
    .option(
      '--max-edges <n>',
      'number of edges with counters of their own; others are counted as "other"',
      parseCount,
      2_000,
    )
    .option('--state <file>', 'file in which the counters outlive the process')
    .addOption(timeOption('--save-every <time>', 'how often the counters are saved', 10_000))
    .addHelpText('after', examples);
  refuseSecond(command, ['listen'], 'name all at once, with commas between');
  refuseSecond(command, ['metrics', 'state']).action(async (args: SinkArguments) => {
    const { runSink } = await import('./run-sink.ts');
    await runSink(args, session);
  });
}

function parseAddresses(text: string): readonly Address[] {
  const addresses = readAddresses(text);
  if (addresses !== null) {
    const named = addresses.filter(({ port }) => port !== 0).map(toUrl);
    if (new Set(named).size === named.length) return addresses;
    throw new InvalidArgumentError('Expected each address once.');
  }
  throw new InvalidArgumentError('Expected ports or HOST:PORT with commas between, for instance 4317,4318.');
}

function parseAddress(text: string): Address {
  const address = readAddress(text);
  if (address !== null) return address;
  throw new InvalidArgumentError('Expected a port or HOST:PORT, for instance 9464.');
}

/** @returns Bytes. */
function parseMemory(text: string): number {
  const [, digits, unit] = /^(\d{1,6})(MiB|GiB)$/.exec(text) ?? [];
  const mebibytes = Number(digits) * (unit === 'GiB' ? 1024 : 1);
  if (mebibytes >= leastMemory) return mebibytes * mebibyte;
  throw new InvalidArgumentError(
    `Expected a whole number of MiB or GiB, ${leastMemory}MiB or more, for instance 512MiB or 2GiB.`,
  );
}
