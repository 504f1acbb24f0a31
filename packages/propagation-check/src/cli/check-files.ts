import { readSpanFile } from '../source/file.ts';
import type { Span } from '../span/span.ts';
import { judge, readCheckInputs, readCollector } from './check-inputs.ts';
import type { CheckArguments } from './common-options.ts';
import { quotePath } from './file-error.ts';
import { explainNothingToJudge, hintAtExpectations } from './hint-at-expectations.ts';
import { printReport } from './print-report.ts';
import { describeWireGaps } from './read-wire.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

/** Reads files, judges and prints. @returns the exit code. */
export async function checkFiles(
  paths: readonly string[],
  args: CheckArguments,
  { output, signal }: Session,
): Promise<number> {
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
  return printReport(result, { source, reason, notes, collector }, args, output);
}

async function readFiles(paths: readonly string[]): Promise<readonly Span[]> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once; name it once');
  }
  const files: (readonly Span[])[] = [];
  for (const path of paths) files.push((await readSpanFile(path)).spans);
  return files.flat();
}
