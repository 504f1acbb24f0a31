import type { Call } from 'demo';

interface Paused {
  /** Sends one request and waits for its answer. */
  readonly call: () => Promise<readonly Call[]>;
  readonly pause: () => unknown;
  readonly resume: () => unknown;
}

/**
 * Sends the requests one after the other and pauses service B during each. Only the times show that the requests wait for B, and on a busy
 * machine they do not while B answers at once.
 * @param resume takes longer on a busy machine, as the request does
 */
export async function callPaused(
  requests: number,
  { call, pause, resume }: Paused,
): Promise<readonly Call[]> {
  const calls: Call[] = [];
  while (calls.length < requests) {
    await pause();
    const answered = call();
    await resume();
    calls.push(...(await answered));
  }
  return calls;
}
