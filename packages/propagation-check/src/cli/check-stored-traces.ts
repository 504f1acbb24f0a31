import { collectTraces } from '../collect/collect-traces.ts';
import { explainNothingToJudge, hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { withDoubt } from '../collect/judge.ts';
import { judgeCollected } from '../collect/judge-trace.ts';
import { pauseFor } from '../collect/pause-for.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import { storeOf } from '../span/span-writer.ts';
import { readAnew, readCheckInputs, readCollector } from './check-inputs.ts';
import type { SourceArguments } from './common-options.ts';
import { describeWaiting } from './describe-waiting.ts';
import { openNamedSource } from './open-named-source.ts';
import { printReport } from './print-report.ts';
import type { Session } from './session.ts';
import { createProgress } from './show-progress.ts';
import { UsageError } from './usage-error.ts';

const receiverPauseMs = 100;

export interface TraceArguments extends SourceArguments {
  readonly service?: string;
  /** Milliseconds. */
  readonly since: number;
  readonly limit: number;
}

/** Reads traces from a source, judges and prints. @returns the exit code. */
export async function checkStoredTraces(
  traceIds: readonly string[],
  args: TraceArguments,
  { output, signal, writeError }: Session,
): Promise<number> {
  if (traceIds.length > 0 === (args.service !== undefined)) {
    throw new UsageError('name the traces: either TRACE_ID…, or --service NAME to search for them');
  }
  const inputs = await readCheckInputs(args);
  const source = await openNamedSource(args, { writeError });
  const progress = createProgress();
  try {
    const found = args.service === undefined ? null : await search(source, args.service, args, signal);
    const foundIds = [...new Set(found?.map((span) => span.traceId))];
    const collected = await collectTraces({
      source,
      traceIds: found === null ? traceIds : foundIds,
      spans: found ?? [],
      services: [],
      readInputs: () => readAnew(inputs),
      // A file does not grow.
      waitMs: args.source.startsWith('file=') ? 0 : args.wait,
      settleMs: args.settle,
      signal,
      onWait: (waiting) => progress.show(() => describeWaiting(source.name, waiting)),
    });
    progress.clear();
    const collector = await readCollector(args, signal);
    const { spans, missing } = collected;
    const result = withDoubt(
      judgeCollected(collected, await readAnew(inputs), collector),
      missing.length > 0,
    );
    const gap = `${source.name} has no span of ${missing.join(', ')}`;
    const reason =
      spans.length === 0
        ? explainEmpty(source, traceIds, args)
        : result.verdict !== 'unknown'
          ? null
          : missing.length === 0
            ? explainNothingToJudge(
                result,
                spans.map(({ serviceName }) => serviceName),
                inputs.expectation,
              )
            : `${gap}; what it has is intact`;
    const notes = [
      ...(missing.length > 0 && reason === null ? [gap] : []),
      ...(await inputs.wireFiles.describeGaps()),
      ...hintAtExpectations(
        result,
        spans.map(({ serviceName }) => serviceName),
        inputs.expectation,
      ),
      ...(source.complaints ?? []),
    ];
    const { service, limit } = args;
    const extent =
      service === undefined ? {} : { search: { service, limit, limitReached: foundIds.length >= limit } };
    const details = { source: source.name, reason, notes, collector, ...extent };
    const readStore = () => storeOf(spans);
    return await printReport({ result, details, readStore }, args, output);
  } finally {
    progress.clear();
    await source.close();
  }
}

async function search(
  source: Source,
  service: string,
  { since, limit, wait, settle, source: spec }: TraceArguments,
  signal: AbortSignal,
): Promise<readonly Span[]> {
  const start = Date.now();
  const look = () => {
    const query = { service, startTimeMin: start - since, startTimeMax: Date.now(), limit };
    return source.searchTraces(query, signal);
  };
  if (!spec.startsWith('otlp')) return look();
  // A receiver that has just opened holds nothing yet, and then more than the first of it is meant.
  while ((await look()).length === 0 && Date.now() - start < wait) await pauseFor(receiverPauseMs, signal);
  await pauseFor(settle, signal);
  return look();
}

function explainEmpty(source: Source, traceIds: readonly string[], args: TraceArguments): string {
  if (args.service !== undefined) {
    return (
      `${source.name} has no trace of service ${JSON.stringify(args.service)} in the time that was searched; ` +
      'check its spelling (service.name), or search further back with --since'
    );
  }
  const what =
    traceIds.length === 1 ? `no span of trace ${traceIds[0]}` : `no span of these ${traceIds.length} traces`;
  return `${source.name} has ${what}; check the id, whether the trace was sampled, and whether its services export to this source`;
}
