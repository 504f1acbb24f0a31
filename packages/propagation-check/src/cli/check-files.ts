import { describeStore } from '../collect/describe-store.ts';
import { explainNothingToJudge } from '../collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { judge } from '../collect/judge.ts';
import type { OtherSignal } from '../decode/other-signals.ts';
import { quotePath } from '../source/file-error.ts';
import { type ReadProgress, readSpansInto } from '../source/read-span-store.ts';
import { listServiceNames, type SpanStore } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { readCheckInputs, readCollector } from './check-inputs.ts';
import type { CheckArguments } from './common-options.ts';
import { explainNoSpan } from './explain-no-span.ts';
import { printReport } from './print-report.ts';
import { renderProgress } from './render-progress.ts';
import type { Session } from './session.ts';
import { createProgress, type Progress } from './show-progress.ts';
import { UsageError } from './usage-error.ts';

/** Reads files, judges and prints. @returns the exit code. */
export async function checkFiles(
  paths: readonly string[],
  args: CheckArguments,
  { output, signal }: Session,
): Promise<number> {
  const inputs = await readCheckInputs(args, paths);
  await inputs.wireFiles.refuseEmptyCaptures();
  const progress = createProgress();
  const {
    store,
    notes: ofFiles,
    otherSignals,
  } = await readFiles(paths, progress, signal).finally(progress.clear);
  const services = listServiceNames(store);
  const collector = await readCollector(args, signal);
  const checking = createProgress();
  if (store.size >= manySpans) await checking.announce(`checking ${store.size.toLocaleString('en')} spans`);
  const { result } = judge(store, inputs, collector);
  checking.clear();
  const { expectation } = inputs;
  const source = paths.map(nameFile).join(', ');
  const empty = store.size === 0 ? explainNoSpan(source, otherSignals) : null;
  const reason =
    empty ?? (result.verdict === 'unknown' ? explainNothingToJudge(result, services, expectation) : null);
  const notes = [
    ...ofFiles,
    // With expectations the verdict is broken although the file has no span: it may hold logs or metrics instead.
    ...(empty !== null && result.verdict !== 'unknown' ? [empty] : []),
    ...describeStore(store),
    ...(await inputs.wireFiles.describeGaps(store)),
    ...hintAtExpectations(result, services, expectation),
  ];
  const details = { source, reason, notes, collector };
  return printReport({ result, details, readStore: () => store, inputs }, args, output);
}

/** Checking this many spans takes about a second. */
const manySpans = 100_000;

interface SpanFiles {
  readonly store: SpanStore;
  readonly notes: readonly string[];
  readonly otherSignals: readonly OtherSignal[];
}

async function readFiles(
  paths: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<SpanFiles> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once; name it once');
  }
  const writer = new SpanWriter();
  const notes: string[] = [];
  const otherSignals: OtherSignal[] = [];
  for (const path of paths) {
    const since = performance.now();
    const onProgress = ({ bytes: done, size: all }: ReadProgress) =>
      progress.show((columns) => {
        const elapsedMs = performance.now() - since;
        return renderProgress({ what: nameFile(path), unit: 'bytes', done, all, elapsedMs }, columns);
      });
    const read = await readSpansInto(writer, path, { signal, onProgress });
    for (const note of read.notes) notes.push(`${nameFile(path)}: ${note}`);
    otherSignals.push(...read.otherSignals);
  }
  return { store: writer.finish(), notes, otherSignals };
}

function nameFile(path: string): string {
  return path === '-' ? 'standard input' : quotePath(path);
}
