import { setImmediate } from 'node:timers/promises';
import type { Source } from '../source/source.ts';
import { pauseFor } from './pause-for.ts';

/** Between two looks at a source that does not tell of arrivals: as fine as a look takes, */
const shortestPauseMs = 15;
/** and no longer than a person minds. */
const longestPauseMs = 1_000;
/** Of the time since the request was answered, so that a verdict comes at most this much later than it could. */
const pauseShare = 0.1;
/** Of the time that a look took: a busy source is asked less. */
const restShare = 2;

export interface Turn {
  readonly source: Source;
  /** Of the source, before the last look. */
  readonly revision: number;
  /** Since the waiting began, in milliseconds. */
  readonly elapsedMs: number;
  /** How long the last look took. */
  readonly lookMs: number;
  /** How long all looks took. */
  readonly looksMs: number;
  /** Until time alone changes something. */
  readonly dueMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until it is worth looking again: spans have arrived where the source tells so, otherwise after a pause that grows; or the
 * time is up. Looks take a third of the time at most.
 * @throws the signal's reason when it aborts.
 */
export async function waitForTurn({
  source,
  revision,
  elapsedMs,
  lookMs,
  looksMs,
  dueMs,
  signal,
}: Turn): Promise<void> {
  if (source.waitForChange === undefined) {
    const pause = Math.min(Math.max(shortestPauseMs, elapsedMs * pauseShare), longestPauseMs);
    return pauseFor(Math.min(Math.max(pause, lookMs * restShare), dueMs), signal);
  }
  // Where spans keep arriving. After few looks there is no rest: what comes during it waits.
  const restMs = Math.max(0, Math.min(looksMs * (1 + restShare) - elapsedMs, lookMs, dueMs));
  if (restMs > 0) await pauseFor(restMs, signal);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([pauseFor(dueMs - restMs, either), source.waitForChange(revision, either)]);
  } finally {
    // The loser rejects, and nobody listens any more: a race handles that.
    over.abort();
  }
  // Services export at the same intervals: lets in what has come beside it.
  await setImmediate();
}
