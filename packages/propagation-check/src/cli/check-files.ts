import { readSpansInto } from '../source/read-span-store.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { judgeStore, readCheckInputs, readCollector } from './check-inputs.ts';
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
  const store = await readFiles(paths, signal);
  const services = store.resourceTable.map(({ serviceName }) => serviceName);
  const collector = await readCollector(args, signal);
  const result = judgeStore(store, inputs, collector);
  const source = paths.map((path) => (path === '-' ? 'standard input' : quotePath(path))).join(', ');
  const reason =
    store.size === 0
      ? `${source}: no span in it`
      : result.verdict === 'unknown'
        ? explainNothingToJudge(result, services, inputs.expectation)
        : null;
  const notes = [
    ...(await describeWireGaps(args.wire)),
    ...hintAtExpectations(result, services, inputs.expectation),
  ];
  return printReport(result, { source, reason, notes, collector }, args, output);
}

async function readFiles(paths: readonly string[], signal: AbortSignal): Promise<SpanStore> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once; name it once');
  }
  const writer = new SpanWriter();
  for (const path of paths) await readSpansInto(writer, path, { signal });
  return writer.finish();
}
