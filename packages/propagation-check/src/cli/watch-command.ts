import type { Command } from 'commander';
import { sourceSpecs } from '../source/source-specs.ts';
import { append } from '../util/append.ts';
import { addConfiguration } from './apply-configuration.ts';
import {
  parseCaFile,
  parseCollectorUrl,
  parseCount,
  parseDuration,
  parseHeaderField,
  parsePath,
  parseService,
  parseUiUrl,
} from './parse-argument.ts';
import type { Session } from './session.ts';
import { timeOption } from './time-option.ts';
import type { WatchArguments } from './watch/run-watch.ts';

const examples = `
Keys: arrows select an edge, enter opens the newest broken trace (or the newest
trace), f the page of its finding, j the trace in Jaeger, esc goes back, q ends.

Without a terminal each change is printed as a line with its time: a new edge,
breaks, an edge that is intact again, a source that is away.

Exit code of --once and of q: 0 every edge is intact, 1 an edge is broken,
2 nothing was judged, or an expected edge is undecided; 130 after Ctrl-C, 143
after SIGTERM.

Examples:
  $ propagation-check watch --source jaeger=http://localhost:16686
  $ propagation-check watch --source otlp --jaeger-ui http://localhost:16686
  $ propagation-check watch spans.jsonl
  $ propagation-check watch --source tempo=http://localhost:3200 --once`;

export function addWatchCommand(program: Command, session: Session): void {
  const command = program
    .command('watch')
    .summary('watch edges live: rates, newest breaks first')
    .description(
      'Watch the edges of a source, or of files that grow: calls, the rate of intact calls and the trend of each edge, those with ' +
        'the newest breaks first. A trace is judged when no span of it has arrived for the time of --settle. Then its spans are ' +
        'forgotten, and the counters stay. Files may be written later, and a source that goes away is asked again until it is back.',
    )
    .argument('[paths...]', 'files of spans, read again when they grow')
    .option(
      '--source <source>',
      `where the spans are: ${[...sourceSpecs.slice(0, 3), 'file=PATH'].join(', ')}`,
    )
    .option(
      '--service <name>',
      'with jaeger, tempo and otlp: watch only traces of this service',
      parseService,
    )
    .option('--once', 'look once, print all edges and exit')
    .option(
      '--jaeger-ui <url>',
      "Jaeger's UI for links (default: the source, where it is Jaeger)",
      parseUiUrl,
    )
    .option('--expect <path>', 'edges that must exist, "a -> b -> c"; may be repeated', parsePath)
    .option('--expectations <file>', 'YAML file of edges that must, may and must not exist')
    .option(
      '--wire <file>',
      'records of propagation-check tap, or a pcap of plain HTTP; may be repeated',
      append,
    )
    .option(
      '--header <field>',
      "header of requests to jaeger and tempo, or to the Collector of --forward: 'Authorization: Bearer …'; may be repeated",
      parseHeaderField,
    )
    .option(
      '--forward <url>',
      'with --source otlp: forward everything that arrives to a Collector',
      parseCollectorUrl,
    )
    .option(
      '--ca <file>',
      'with jaeger, tempo and --forward: PEM file with a certificate authority to trust',
      parseCaFile,
    )
    .addOption(
      timeOption(
        '--since <time>',
        'with jaeger and tempo: how far back the first look goes',
        60_000,
        parseDuration,
      ),
    )
    .option(
      '--limit <n>',
      'with jaeger and tempo: most traces that one look reads of each service',
      parseCount,
      200,
    )
    .addOption(
      timeOption('--settle <time>', 'judge a trace when no span of it has arrived for this long', 6_000),
    )
    .addOption(timeOption('--wait <time>', 'with --once: how long spans may take to arrive', 10_000))
    .addOption(
      timeOption(
        '--timeout <time>',
        'with jaeger, tempo and --forward: timeout of each HTTP request',
        15_000,
      ),
    );
  const refuseOptions = async (isGiven: (option: string) => boolean) => {
    const { refuseOptionsOfWatch } = await import('./watch/refuse-options-of-watch.ts');
    refuseOptionsOfWatch(command.args, command.opts<WatchArguments>(), isGiven);
  };
  addConfiguration(command, session, refuseOptions)
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], args: WatchArguments) => {
      const { runWatch } = await import('./watch/run-watch.ts');
      await runWatch(paths, args, session);
    });
}
