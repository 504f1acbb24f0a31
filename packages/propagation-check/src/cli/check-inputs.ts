import type { CheckInputs } from '../collect/judge.ts';
import { quoteValue } from '../decode/quote-value.ts';
import { type Expectation, type ExpectedEdge, noExpectation } from '../expect/expectation.ts';
import { ExpectationError } from '../expect/read-expected-path.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { readSettings } from '../source/read-whole-file.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { readBaselineFile } from './baseline-file.ts';
import { checkReportFiles } from './check-report-files.ts';
import type { CheckArguments } from './common-options.ts';
import { findOtherContent } from './find-other-content.ts';
import { UsageError } from './usage-error.ts';
import { WireFiles } from './wire-files.ts';

export interface ReadInputs extends CheckInputs {
  readonly wireFiles: WireFiles;
}

/** @throws {UsageError} when a file is missing or wrong. */
export async function readCheckInputs(
  args: CheckArguments,
  paths: readonly string[] = [],
): Promise<ReadInputs> {
  checkReportFiles(args, paths);
  const wireFiles = new WireFiles(args.wire);
  const written =
    args.expectations === undefined
      ? (args.expectation ?? noExpectation)
      : await readExpectationFile(args.expectations);
  const baseline = await readBaselineFile(args);
  return {
    expectation: {
      ...written,
      edges: mergeEdges(args, written.edges),
      toleratedPeers: [...written.toleratedPeers, ...(args.toleratedPeers ?? [])],
    },
    wire: await wireFiles.read(),
    wireFiles,
    project: await readHints(args),
    explain: args.explain === true,
    ...(baseline === null ? {} : { baseline }),
  };
}

/** Merges the expected edges, without repeats. @throws {UsageError} where the command line expects an edge that the file forbids. */
function mergeEdges(
  { expect = [], expectations, configFile }: CheckArguments,
  written: readonly ExpectedEdge[],
): readonly ExpectedEdge[] {
  return groupBy([...expect, ...written], ({ client, server }) => keyFor(client, server)).map((same) => {
    const [first] = same;
    const rules = new Set(same.map((edge) => edge.rule));
    if (rules.has('must-not') && rules.size > 1) {
      const name = quoteValue(`${first.client} -> ${first.server}`);
      const file = quotePath(expectations ?? configFile ?? '');
      throw new UsageError(`--expect ${name}: ${file} forbids it under must-not; name it once`);
    }
    return rules.has('must') ? { ...first, rule: 'must' } : first;
  });
}

/** @throws {UsageError} when the folder is missing. */
async function readHints({ project }: CheckArguments): Promise<readonly ProjectHint[]> {
  if (project === undefined) return [];
  const { readProjectHints } = await import('./read-project-hints.ts');
  return readProjectHints(project);
}

/** Reads the files of `--wire` again: taps write to them while spans arrive. */
export async function readAnew(inputs: ReadInputs): Promise<CheckInputs> {
  return { ...inputs, wire: await inputs.wireFiles.read() };
}

/** @returns null when no Collector is named. @throws {SourceError} when its counters cannot be read. */
export async function readCollector(
  { collectorMetrics, ca, timeout }: CheckArguments,
  signal: AbortSignal,
): Promise<CollectorCounters | null> {
  if (collectorMetrics === undefined) return null;
  const options = { timeoutMs: timeout, ...(ca === undefined ? {} : { caFile: ca }) };
  const { readCollectorCounters } = await import('../source/collector-metrics.ts');
  return readCollectorCounters(collectorMetrics, options, signal);
}

async function readExpectationFile(path: string): Promise<Expectation> {
  const name = quotePath(path);
  const text = await readSettings(path).catch((error: unknown) => {
    throw new UsageError(`--expectations ${name}: ${describeFileError(error)}`);
  });
  const { readExpectation } = await import('../expect/read-expectation.ts');
  try {
    return readExpectation(text);
  } catch (error) {
    if (!(error instanceof ExpectationError)) throw error;
    const other = await findOtherContent(text, '--expectations');
    throw new UsageError(other === null ? `${name}:${error.message}` : `--expectations ${name}: ${other}`);
  }
}
