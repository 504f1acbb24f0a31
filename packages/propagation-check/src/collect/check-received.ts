import { type Expectation, noExpectation } from '../expect/expectation.ts';
import type { ReportDetails } from '../report/json.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import type { SpanStore } from '../span/span-store.ts';
import type { Result } from '../verdict/result.ts';
import { collectTraces, type Waiting } from './collect-traces.ts';
import { describeStore } from './describe-store.ts';
import { explainNothingToJudge } from './explain-nothing-to-judge.ts';
import { describeUncaused, findEnclosed } from './find-uncaused.ts';
import { hintAtExpectations } from './hint-at-expectations.ts';
import type { CheckInputs } from './judge.ts';
import { judgeCollected } from './judge-trace.ts';
import { waitForTurn } from './pace-looks.ts';

export interface ReceivedQuery {
  /** A receiver, after the work to be checked has finished. */
  readonly source: Source;
  /** Called for each look, because taps write while they run. */
  readonly readInputs: () => Promise<CheckInputs>;
  /** Milliseconds. The deadline for spans to arrive. */
  readonly waitMs: number;
  /** Milliseconds without a new span after which missing spans are judged. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
  readonly onWait?: (waiting: Waiting) => void;
  readonly explainSilence: () => NoSpans;
}

/** The caller's explanation of a receiver without spans. */
export interface NoSpans {
  /** Why nothing arrived. */
  readonly reason: string;
  /** Steps for the user, one in each text. */
  readonly advice: readonly string[];
}

export interface CheckedSpans {
  readonly result: Result;
  readonly details: ReportDetails;
  readonly spans: readonly Span[];
  /** The spans in columns. */
  readonly store: SpanStore;
}

/** Waits for spans that can still change the verdict on the traces in a receiver, then judges all traces. */
export async function checkReceived(query: ReceivedQuery): Promise<CheckedSpans> {
  const { source, readInputs, waitMs, settleMs, signal, onWait, explainSilence } = query;
  await waitForFirst(source, Math.min(settleMs, waitMs), signal);
  const collected = await collectTraces({
    ...{ source, traceIds: [], services: [], withReceived: true },
    ...{ readInputs, waitMs, settleMs, signal },
    ...(onWait === undefined ? {} : { onWait }),
  });
  const inputs = await readInputs();
  const isSilent = collected.spans.length === 0;
  // Without any span an expectation is neither met nor broken.
  const { store, result } = judgeCollected(
    collected,
    isSilent ? { ...inputs, expectation: noExpectation } : inputs,
    null,
  );
  const services = collected.spans.map(({ serviceName }) => serviceName);
  const complaints = source.complaints ?? [];
  const silence = isSilent ? explainSilence() : null;
  const reason =
    silence !== null
      ? [`no span arrived in ${source.name}`, ...complaints, silence.reason].join('; ')
      : result.verdict === 'unknown'
        ? explainNothingToJudge(result, services, inputs.expectation)
        : null;
  const notes = [
    ...describeStore(store),
    ...(result.verdict === 'intact' ? describeEnclosed(collected.spans, result, inputs.expectation) : []),
    ...hintAtExpectations(result, services, inputs.expectation),
    ...(silence === null ? complaints : silence.advice),
  ];
  return {
    result,
    details: { source: source.name, reason, notes, collector: null },
    spans: collected.spans,
    store,
  };
}

/** Notes traces that may be calls, of services that occur neither in the result nor in an expectation. */
function describeEnclosed(
  spans: readonly Span[],
  { edges, findings }: Result,
  expectation: Expectation,
): readonly string[] {
  const known = new Set([...edges, ...findings, ...expectation.edges].map(({ server }) => server));
  const enclosed = findEnclosed(spans).filter(({ serviceName }) => !known.has(serviceName));
  const [first] = enclosed;
  if (first === undefined) return [];
  const path = `CALLER -> ${first.serviceName ?? 'CALLED'}`;
  return [`not judged: ${describeUncaused(enclosed, path, 'the command or test itself')}`];
}

const anyTrace = { service: null, startTimeMin: 0, startTimeMax: Number.MAX_SAFE_INTEGER, limit: 1 } as const;

async function waitForFirst(source: Source, atMostMs: number, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + atMostMs;
  for (;;) {
    const revision = source.revision ?? 0;
    const leftMs = deadline - Date.now();
    const found = await source.searchTraces(anyTrace, signal);
    if (found.length > 0 || leftMs <= 0) return;
    await waitForTurn({ source, revision, elapsedMs: 0, lookMs: 0, looksMs: 0, dueMs: leftMs, signal });
  }
}
