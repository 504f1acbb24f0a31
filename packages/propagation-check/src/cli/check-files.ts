import { quotePath } from '../source/file-error.ts';
import { readSpansInto } from '../source/read-span-store.ts';
import type { SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { describeWireGaps, judgeStore, readCheckInputs, readCollector } from './check-inputs.ts';
import type { CheckArguments } from './common-options.ts';
import { explainNothingToJudge, hintAtExpectations } from './hint-at-expectations.ts';
import { printReport } from './print-report.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

/** Reads files, judges and prints. @returns the exit code. */
export async function checkFiles(
  paths: readonly string[],
  args: CheckArguments,
  { output, signal }: Session,
): Promise<number> {
  const inputs = await readCheckInputs(args);
  const { store, notes: ofFiles } = await readFiles(paths, signal);
  const services = store.resourceTable.map(({ serviceName }) => serviceName);
  const collector = await readCollector(args, signal);
  const result = judgeStore(store, inputs, collector);
  const source = paths.map(nameFile).join(', ');
  const reason =
    store.size === 0
      ? `${source}: no span in it`
      : result.verdict === 'unknown'
        ? explainNothingToJudge(result, services, inputs.expectation)
        : null;
  const notes = [
    ...ofFiles,
    ...(await describeWireGaps(args)),
    ...hintAtExpectations(result, services, inputs.expectation),
  ];
  const details = { source, reason, notes, collector };
  return printReport({ result, details, readStore: () => store }, args, output);
}

interface SpanFiles {
  readonly store: SpanStore;
  readonly notes: readonly string[];
}

async function readFiles(paths: readonly string[], signal: AbortSignal): Promise<SpanFiles> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once; name it once');
  }
  const writer = new SpanWriter();
  const notes: string[] = [];
  for (const path of paths) {
    const read = await readSpansInto(writer, path, { signal });
    notes.push(...read.notes.map((note) => `${nameFile(path)}: ${note}`));
  }
  return { store: writer.finish(), notes };
}

function nameFile(path: string): string {
  return path === '-' ? 'standard input' : quotePath(path);
}
