import { setTimeout as delay } from 'node:timers/promises';
import { NoFaultError } from './fault.ts';

/** Longer than the Collector waits for one answer. */
const patienceMs = 120_000;
const pollMs = 500;

/**
 * Waits until the stack feels the fault that has been made.
 * @param says What shows when it does not.
 * @throws {NoFaultError} when it does not within two minutes.
 */
export async function awaitFelt(isFelt: () => Promise<boolean>, says: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isFelt())) {
    if (performance.now() > deadline) throw new NoFaultError(`${says} within ${patienceMs / 1000} s`);
    await delay(pollMs);
  }
}
