import { setTimeout as delay } from 'node:timers/promises';

/** @throws the signal's reason when it aborts. */
export async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
