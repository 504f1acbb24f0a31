import { readFile } from 'node:fs/promises';
import { checkTraces } from '../check-traces.ts';
import type { CollectorCounters } from '../collector-counters.ts';
import type { WireRecord } from '../evidence.ts';
import { type Expectation, noExpectation } from '../expectation.ts';
import { ExpectationError, readExpectation } from '../read-expectation.ts';
import type { Result } from '../result.ts';
import { readCollectorCounters } from '../source/collector-metrics.ts';
import type { Span } from '../span.ts';
import type { CheckArguments } from './common-options.ts';
import { describeFileError, quotePath } from './file-error.ts';
import { readWireFile, sortByTime } from './read-wire.ts';
import { UsageError } from './usage-error.ts';

/** Everything that a check needs beside spans. */
export interface CheckInputs {
  readonly expectation: Expectation;
  readonly wire: readonly WireRecord[];
}

/** @throws {UsageError} when a file is missing or wrong. */
export async function readCheckInputs(args: CheckArguments): Promise<CheckInputs> {
  const written =
    args.expectations === undefined ? noExpectation : await readExpectationFile(args.expectations);
  return {
    expectation: { ...written, edges: [...(args.expect ?? []), ...written.edges] },
    wire: await readWire(args),
  };
}

/** Taps write while they run, so that a check reads their files when it judges. */
export async function readWire({ wire = [] }: CheckArguments): Promise<readonly WireRecord[]> {
  const files = await Promise.all(wire.map(readWireFile));
  return sortByTime(files.flat());
}

export function judge(
  spans: readonly Span[],
  { expectation, wire }: CheckInputs,
  collector: CollectorCounters | null = null,
): Result {
  return checkTraces(spans, { expectation, headers: { wire, received: [] }, collector });
}

/** Of traces that never came nothing can be said: what did come may be broken, and is not called intact without them. */
export function withMissing(result: Result, missing: number): Result {
  return missing > 0 && result.verdict === 'intact' ? { ...result, verdict: 'unknown' } : result;
}

/** Without expectations a call without its other side is taken for one to a peer that emits no spans. */
export function hintAtExpectations(result: Result, { expectation }: CheckInputs): readonly string[] {
  const peers = result.findings.filter((finding) => finding.id === 'uninstrumented-peer');
  const calls = peers.reduce((sum, finding) => sum + finding.count, 0);
  if (calls === 0 || result.verdict !== 'intact' || expectation.edges.length > 0) return [];
  return [
    `${calls} calls have no SERVER span and are taken for calls to peers that emit none; if one of these peers is yours, ` +
      'name the edge with --expect "caller -> called"',
  ];
}

/** Null when no Collector was named. @throws {SourceError} when the one that was cannot be read. */
export async function readCollector(
  { collectorMetrics, ca, timeout }: CheckArguments,
  signal: AbortSignal,
): Promise<CollectorCounters | null> {
  if (collectorMetrics === undefined) return null;
  const options = { timeoutMs: timeout, ...(ca === undefined ? {} : { caFile: ca }) };
  return readCollectorCounters(collectorMetrics, options, signal);
}

async function readExpectationFile(path: string): Promise<Expectation> {
  const name = quotePath(path);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--expectations ${name}: ${describeFileError(error)}`);
  });
  try {
    return readExpectation(text);
  } catch (error) {
    if (!(error instanceof ExpectationError)) throw error;
    throw new UsageError(`${name}:${error.message}`);
  }
}
