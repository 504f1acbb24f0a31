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
  const files = await readFiles(paths);
  const spans = files.flatMap((file) => file.spans);
  const collector = await readCollector(args, signal);
  const result = judge(spans, inputs, collector);
  const source = paths.map(nameFile).join(', ');
  const reason =
    spans.length === 0
      ? `${source}: no span in it`
      : result.verdict === 'unknown'
        ? explainNothingToJudge(result, spans, inputs.expectation)
        : null;
  const notes = [
    ...files.flatMap((file) => file.notes),
    ...(await describeWireGaps(args.wire)),
    ...hintAtExpectations(result, spans, inputs.expectation),
  ];
  return printReport(result, { source, reason, notes, collector }, args, output);
}

interface SpanFile {
  readonly spans: readonly Span[];
  readonly notes: readonly string[];
}

async function readFiles(paths: readonly string[]): Promise<readonly SpanFile[]> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once; name it once');
  }
  const files: SpanFile[] = [];
  for (const path of paths) {
    const { spans, notes = [] } = await readSpanFile(path);
    files.push({ spans, notes: notes.map((note) => `${nameFile(path)}: ${note}`) });
  }
  return files;
}

function nameFile(path: string): string {
  return path === '-' ? 'standard input' : quotePath(path);
}
