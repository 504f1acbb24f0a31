import { setTimeout as delay } from 'node:timers/promises';
import { type Source, SourceError, type Span } from 'propagation-check';
import type { Answer } from './answer.ts';
import { explainSilence } from './explain-silence.ts';
import type { Call, Silence, TraceCheck } from './run.ts';
import type { Statement } from './statement.ts';
import { judgeNoAnswer, judgeStatements, type Mode } from './statements.ts';

/** The part of an embedded receiver that this module uses. */
export interface Feed {
  /** Grows when spans arrive. */
  readonly revision: number;
  /** Resolves when `revision` is greater than `since`; rejects when the signal aborts. */
  waitForChange(since: number, signal: AbortSignal): Promise<number>;
}

export interface CheckOptions {
  readonly source: Source;
  readonly mode: Mode;
  /** How long spans may take to arrive after the answer, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * A certain failure is reported when no new span has arrived for this long, in milliseconds, because later spans may help to explain it.
   * Must be longer than the services' export delay (5 s by default).
   */
  readonly settleMs: number;
  /** How long the source may fail before it counts as unreachable, in milliseconds. */
  readonly sourcePatienceMs: number;
  /** The source, if it can notify about new spans; other sources are polled. */
  readonly feed?: Feed;
  /** Aborts when no more spans can arrive, because the services have stopped. */
  readonly noMoreSpans?: AbortSignal;
  /** Aborts the check: the promise rejects with the reason. */
  readonly signal?: AbortSignal;
}

export const defaultSettleMs = 6_000;
export const defaultSourcePatienceMs = 5_000;

const firstPauseMs = 25;
const longestPauseMs = 1_000;
const pauseGrowth = 1.5;
/** Minimum time for an answer of the source, even near the deadline. */
const leastReadMs = 2_000;

/** Reads the traces of one call until the verdict is certain or the deadline decides. */
export async function checkCall(call: Call, options: CheckOptions): Promise<TraceCheck> {
  if (call.answer === null) {
    return finish(call, judgeNoAnswer(call.silence.reason), [], call.silence);
  }
  const { answer } = call;
  const deadline = call.answeredAt + options.timeoutMs;
  let spans: readonly Span[] = [];
  let grewAt = Date.now();
  let failingSince: number | null = null;

  for (let pause = firstPauseMs; ; pause = Math.min(pause * pauseGrowth, longestPauseMs)) {
    options.signal?.throwIfAborted();
    // Both are read before the source, so that spans that arrive meanwhile are not missed.
    const isLast = options.noMoreSpans?.aborted || Date.now() >= deadline;
    const since = options.feed?.revision ?? 0;
    const read = await readTraces(answer, deadline, options);
    if ('error' in read) failingSince ??= Date.now();
    else {
      failingSince = null;
      if (read.spans.length > spans.length) grewAt = Date.now();
      spans = read.spans;
    }

    const statements = judgeStatements(answer, spans, options);
    const isOver =
      isCertain(statements) ||
      isLast ||
      (isBroken(statements) && Date.now() - grewAt >= options.settleMs) ||
      (failingSince !== null && Date.now() - failingSince >= options.sourcePatienceMs);
    if (isOver) {
      const error = 'error' in read ? read.error : null;
      const isJudged = isCertain(statements) || (isBroken(statements) && spans.length > 0);
      const silence = isJudged ? null : await explainSilence(call, spans, error, options);
      return finish(call, statements, spans, silence);
    }
    await waitForMore(pause, deadline, since, options);
  }
}

function finish(
  call: Call,
  statements: readonly Statement[],
  spans: readonly Span[],
  silence: Silence | null,
): TraceCheck {
  const isIntact = statements.every((statement) => statement.state !== 'failed' && statement.conclusive);
  const verdict = silence !== null ? 'unknown' : isIntact ? 'intact' : 'broken';
  const { answer, sentAt } = call;
  return { verdict, silence, answer, statements, spans, elapsedMs: Date.now() - sentAt };
}

/** Whether no span that arrives later can change a statement. */
function isCertain(statements: readonly Statement[]): boolean {
  return statements.every((statement) => statement.conclusive);
}

function isBroken(statements: readonly Statement[]): boolean {
  return statements.some((statement) => statement.state === 'failed' && statement.conclusive);
}

async function readTraces(
  answer: Answer,
  deadline: number,
  { source, signal }: CheckOptions,
): Promise<{ readonly spans: readonly Span[] } | { readonly error: SourceError }> {
  const ids = new Set([answer.service_a_trace_id, answer.service_b_trace_id].filter((id) => id !== null));
  const patienceMs = Math.max(leastReadMs, deadline - Date.now());
  const late = AbortSignal.timeout(patienceMs);
  const either = signal === undefined ? late : AbortSignal.any([signal, late]);
  try {
    const traces = await Promise.all([...ids].map((id) => source.readTrace(id, either)));
    return { spans: traces.flat() };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SourceError) return { error };
    if (late.aborted) return { error: new SourceError(`${source.name}: no answer within ${patienceMs} ms`) };
    throw error;
  }
}

/** Resolves when the source must be read again: spans have arrived, the pause or the deadline has passed, or no more spans can arrive. */
async function waitForMore(
  pause: number,
  deadline: number,
  since: number,
  { feed, noMoreSpans, signal }: CheckOptions,
): Promise<void> {
  const left = Math.max(0, deadline - Date.now());
  const over = new AbortController();
  const ends = AbortSignal.any([over.signal, noMoreSpans, signal].filter((one) => one !== undefined));
  const waits =
    feed === undefined
      ? [delay(Math.min(pause, left), undefined, { signal: ends })]
      : [delay(left, undefined, { signal: ends }), feed.waitForChange(since, ends)];
  // A rejection is an abort, and also ends the wait: the caller checks the signals itself.
  await Promise.race(waits.map((wait) => Promise.resolve(wait).catch(() => undefined)));
  over.abort();
}
