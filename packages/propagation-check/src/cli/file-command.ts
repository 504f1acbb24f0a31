import type { Command } from 'commander';
import { readSpanFile } from '../source/file.ts';
import type { Span } from '../span/span.ts';
import { judge, readCheckInputs, readCollector } from './check-inputs.ts';
import { addCheckOptions, type CheckArguments } from './common-options.ts';
import { quotePath } from './file-error.ts';
import { explainNothingToJudge, hintAtExpectations } from './hint-at-expectations.ts';
import { printReport } from './print-report.ts';
import { describeWireGaps } from './read-wire.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

const examples = `
Examples:
  $ propagation-check file trace.json
  $ propagation-check file spans.jsonl.gz more.jsonl --expect "web -> orders -> payments"
  $ curl -s http://localhost:16686/api/traces/4bf92f3577b34da6a3ce929d0e0e4736 | propagation-check file -
  $ propagation-check file trace.json --wire wire.jsonl --json`;

export function addFileCommand(
  program: Command,
  { output, setExitCode, signal, endOnSignals }: Session,
): void {
  const command = program
    .command('file')
    .summary('check the traces in files, or on standard input')
    .description(
      'Check the traces in files, or on standard input (-): OTLP JSON, JSON Lines, OTLP protobuf, Jaeger JSON, Tempo JSON, ' +
        'Zipkin v2 JSON, each also compressed with gzip. The format is recognised by content.',
    )
    .argument('<paths...>', 'files; - for standard input');
  addCheckOptions(command)
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], args: CheckArguments) => {
      endOnSignals();
      const inputs = await readCheckInputs(args);
      const spans = await readFiles(paths);
      const collector = await readCollector(args, signal);
      const result = judge(spans, inputs, collector);
      const source = paths.map((path) => (path === '-' ? 'standard input' : quotePath(path))).join(', ');
      const reason =
        spans.length === 0
          ? `${source}: no span in it`
          : result.verdict === 'unknown'
            ? explainNothingToJudge(result, spans, inputs.expectation)
            : null;
      const notes = [
        ...(await describeWireGaps(args.wire)),
        ...hintAtExpectations(result, spans, inputs.expectation),
      ];
      setExitCode(await printReport(result, { source, reason, notes, collector }, args, output));
    });
}

async function readFiles(paths: readonly string[]): Promise<readonly Span[]> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once; name it once');
  }
  const files: (readonly Span[])[] = [];
  for (const path of paths) files.push((await readSpanFile(path)).spans);
  return files.flat();
}
