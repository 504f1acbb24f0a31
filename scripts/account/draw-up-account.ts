import { setTimeout as delay } from 'node:timers/promises';
import type { TraceCheck } from '../../propagation-check/src/assertion/run.ts';
import { UsageError } from '../../propagation-check/src/cli/usage-error.ts';
import type { Source } from '../../propagation-check/src/source/source.ts';
import { type Account, balance, isBalanced, RestartError } from './balance.ts';
import type { Counters } from './counters.ts';
import { readCounters, type Way } from './read-counters.ts';

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
    readonly way: Way;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Account> {
  const { source, way, timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // In this order: what is found later has been counted before.
    const found = await countSpans(source, checks, signal);
    const account = compare(before, await readCounters(way, signal), found);
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
  source: Source,
  checks: readonly TraceCheck[],
  signal: AbortSignal,
): Promise<number> {
  const traceIds = new Set(
    checks.flatMap(({ answer }) => [answer?.service_a_trace_id, answer?.service_b_trace_id]),
  );
  let spans = 0;
  for (const traceId of traceIds) if (traceId) spans += (await source.readTrace(traceId, signal)).length;
  return spans;
}
