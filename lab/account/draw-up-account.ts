import { setTimeout as delay } from 'node:timers/promises';
import { mapConcurrently } from '../../packages/propagation-check/src/assertion/map-concurrently.ts';
import type { TraceCheck } from '../../packages/propagation-check/src/assertion/run.ts';
import { UsageError } from '../../packages/propagation-check/src/cli/usage-error.ts';
import type { Source } from '../../packages/propagation-check/src/source/source.ts';
import { type Account, balance, isBalanced, RestartError } from './balance.ts';
import type { Counters } from './counters.ts';

const pauseMs = 300;

/**
 * The account of what was sent since `before`, as soon as everything is drained and the sums agree, or as it stands when the
 * time is over.
 * @throws {UsageError} where a counter cannot be read or has started anew.
 */
export async function drawUpAccount(
  before: Counters,
  checks: readonly TraceCheck[],
  options: {
    readonly source: Source;
    /** Reads all counters once. */
    readonly read: () => Promise<Counters>;
    readonly timeoutMs: number;
    /** Traces to read at a time. */
    readonly concurrency: number;
    readonly signal: AbortSignal;
  },
): Promise<Account> {
  const { read, timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // In this order: what is found later has been counted before.
    const found = await countSpans(checks, options);
    const account = compare(before, await read(), found);
    if (isBalanced(account) || performance.now() >= deadline) return account;
    await delay(pauseMs, undefined, { signal });
  }
}

function compare(before: Counters, after: Counters, found: number): Account {
  try {
    return balance(before, after, found);
  } catch (error) {
    throw error instanceof RestartError ? new UsageError(error.message) : error;
  }
}

/** A broken call has two traces. */
async function countSpans(
  checks: readonly TraceCheck[],
  {
    source,
    concurrency,
    signal,
  }: { readonly source: Source; readonly concurrency: number; readonly signal: AbortSignal },
): Promise<number> {
  const traceIds = new Set(
    checks.flatMap(({ answer }) =>
      [answer?.service_a_trace_id, answer?.service_b_trace_id].filter((id) => typeof id === 'string'),
    ),
  );
  const traces = await mapConcurrently([...traceIds], concurrency, (id) => source.readTrace(id, signal));
  return traces.flat().length;
}
