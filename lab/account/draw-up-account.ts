import { setTimeout as delay } from 'node:timers/promises';
import type { Source } from 'propagation-check';
import { mapConcurrently, UsageError } from 'propagation-check/kit';
import { type Account, balance, isBalanced, RestartError } from './balance.ts';
import type { Counters } from './counters.ts';

const pauseMs = 300;

/**
 * Balances the spans of these traces, which were sent since `before`. Repeats until the sums agree; after `timeoutMs` it returns the last
 * account.
 * @throws {UsageError} when a counter cannot be read, or a process has restarted.
 */
export async function drawUpAccount(
  before: Counters,
  traceIds: ReadonlySet<string>,
  options: {
    readonly source: Source;
    /** Reads all counters once. */
    readonly read: () => Promise<Counters>;
    readonly timeoutMs: number;
    /** Number of traces that are read at the same time. */
    readonly concurrency: number;
    readonly signal: AbortSignal;
  },
): Promise<Account> {
  const { read, timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // The trace store is read first: every span in it has then been counted by the hops before it.
    const found = await countSpans(traceIds, options);
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

async function countSpans(
  traceIds: ReadonlySet<string>,
  {
    source,
    concurrency,
    signal,
  }: { readonly source: Source; readonly concurrency: number; readonly signal: AbortSignal },
): Promise<number> {
  const traces = await mapConcurrently([...traceIds], concurrency, (id) => source.readTrace(id, signal));
  return traces.flat().length;
}
