import { setImmediate } from 'node:timers/promises';
import type { Source } from '../source/source.ts';
import { pauseFor } from './pause-for.ts';

/** The shortest pause between two looks at a source that does not signal arrivals: about as long as a look takes. */
const shortestPauseMs = 15;
/** The longest pause: a user would notice a longer one. */
const longestPauseMs = 1_000;
/** The pause as a share of the time since the request was answered: a verdict is late by at most this share. */
const pauseShare = 0.1;
/** The least pause as a multiple of the last look's time: a busy source is read less often. */
const restShare = 2;

export interface Turn {
  readonly source: Source;
  /** The source's revision before the last look. */
  readonly revision: number;
  /** Milliseconds since the waiting began. */
  readonly elapsedMs: number;
  /** How long the last look took. */
  readonly lookMs: number;
  /** How long all looks took. */
  readonly looksMs: number;
  /** Milliseconds until the passing of time alone changes the outcome. */
  readonly dueMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until the next look: until spans arrive if the source signals that, otherwise for a pause that grows; at most until `dueMs`.
 * Looks take at most a third of the time.
 * @throws the signal's reason when it is aborted.
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
  // A pause for sources in which spans keep arriving. There is none while looks have taken less than a third of the time, because
  // spans that arrive during it must wait.
  const restMs = Math.max(0, Math.min(looksMs * (1 + restShare) - elapsedMs, lookMs, dueMs));
  if (restMs > 0) await pauseFor(restMs, signal);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([pauseFor(dueMs - restMs, either), source.waitForChange(revision, either)]);
  } finally {
    // The other promise rejects, which `Promise.race` has already handled.
    over.abort();
  }
  // Services often export at the same moment: let the other pending exports in first.
  await setImmediate();
}
