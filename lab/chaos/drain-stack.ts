import { setTimeout as delay } from 'node:timers/promises';
import type { Source, Span } from 'propagation-check';
import { type AwaitOptions, awaitSpans } from './await-spans.ts';
import { type CounterTotals, isQuiet, readCounterTotals } from './counters.ts';
import type { EndedSpan } from './ledger.ts';
import type { Stack } from './stack.ts';
import type { Outcome } from './traffic.ts';
import type { Witness } from './witness.ts';

const quietPollMs = 500;
/** Once all queues are empty, no more spans can arrive, so a short wait is enough. */
const quietPatienceMs = 10_000;

export interface Drained {
  readonly ended: readonly EndedSpan[];
  readonly found: readonly Span[];
  readonly said: CounterTotals;
  /** When the last span had arrived, on the clock of `performance.now()`. */
  readonly until: number;
}

/**
 * Waits until all queues are empty, because a batch that is retried later would arrive after the account. Then waits for every span that
 * has ended. Repeats when more spans have ended meanwhile: a span may end after its answer. Also repeats when spans arrived while traces
 * were read: their batch may have delivered spans again to a trace that had been read before.
 */
export async function drainStack(
  stack: Stack,
  source: Source,
  witness: Witness,
  outcomes: readonly Outcome[],
  { patienceMs, signal }: Pick<AwaitOptions, 'patienceMs' | 'signal'>,
): Promise<Drained> {
  let arrival: number | null = null;
  for (;;) {
    const { said, until } = await awaitQuiet(stack, patienceMs, signal);
    const ended = await witness.readEnded();
    const { found, lastArrival } = await awaitSpans({
      source,
      expected: expectedSpans(ended, outcomes),
      patienceMs: isQuiet(said) ? Math.min(patienceMs, quietPatienceMs) : patienceMs,
      signal,
    });
    arrival = lastArrival ?? arrival;
    const isComplete = (await witness.readEnded()).length === ended.length;
    if (isComplete && lastArrival === null) return { ended, found, said, until: arrival ?? until };
  }
}

/** @returns the last counters, and when they were read, on the clock of `performance.now()` */
async function awaitQuiet(
  stack: Stack,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Pick<Drained, 'said' | 'until'>> {
  let least = Number.POSITIVE_INFINITY;
  let progress = performance.now();
  for (;;) {
    const until = performance.now();
    const said = await readCounterTotals(stack);
    if (said.unread.length === 0 && said.queued < least) {
      least = said.queued;
      progress = until;
    }
    if (isQuiet(said) || until - progress > patienceMs) return { said, until };
    await delay(quietPollMs, undefined, { signal });
  }
}

/** The expected span ids of each expected trace. */
function expectedSpans(
  ended: readonly EndedSpan[],
  outcomes: readonly Outcome[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const expected = new Map<string, Set<string>>();
  for (const { answer } of outcomes) if (answer !== null) expected.set(answer.service_a_trace_id, new Set());
  for (const { traceId, spanId } of ended) {
    const ids = expected.get(traceId);
    if (ids === undefined) expected.set(traceId, new Set([spanId]));
    else ids.add(spanId);
  }
  return expected;
}
