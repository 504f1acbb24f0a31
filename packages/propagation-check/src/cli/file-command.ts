import type { Command } from 'commander';
import { addCheckOptions, type CheckArguments } from './common-options.ts';
import type { Session } from './session.ts';

const examples = `
Examples:
  $ propagation-check file trace.json
  $ propagation-check file spans.jsonl.gz more.jsonl \\
      --expect "web -> orders -> payments"
  $ curl -s http://localhost:16686/api/traces/4bf92f3577b34da6a3ce929d0e0e4736 \\
      | propagation-check file -
  $ propagation-check file trace.json --wire wire.jsonl --json`;

/** Files are read without HTTP: only the counters of the Collector need these options. */
const metrics = '--collector-metrics';
const usesOfFile = { ca: [metrics], timeout: [metrics] };

export function addFileCommand(program: Command, session: Session): void {
  const command = program
    .command('file')
    .summary('check the traces in files, or on standard input')
    .description(
      'Check the traces in files, or on standard input (-): OTLP JSON, JSON Lines, OTLP protobuf, Jaeger JSON, Tempo JSON, Zipkin v2 JSON, ' +
        'ClickHouse rows, spans of Elasticsearch, OpenSearch and CloudWatch, and what the console exporters of JavaScript, Python, Go, ' +
        "Java and .NET and the Collector's debug exporter print; each also in gzip or zip. The format is recognised by content.",
    )
    .argument('<paths...>', 'files; - for standard input');
  const refuseOptions = async (isGiven: (option: string) => boolean) => {
    const { refuseUnusedOptions } = await import('./refuse-unused-options.ts');
    const { collectorMetrics } = command.opts<CheckArguments>();
    refuseUnusedOptions(usesOfFile, collectorMetrics === undefined ? [] : [metrics], isGiven);
  };
  addCheckOptions(command, session, refuseOptions)
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], args: CheckArguments) => {
      session.endOnSignals();
      const { checkFiles } = await import('./check-files.ts');
      session.setExitCode(await checkFiles(paths, args, session));
    });
}
