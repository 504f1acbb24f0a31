/** The target did not begin its answer in time. */
export class TargetTimeout extends Error {
  override readonly name = 'TargetTimeout';

  constructor(timeoutMs: number) {
    super(`no answer for ${timeoutMs} ms`);
  }
}

/** The answer of the tap when the target did not answer: 504 after a timeout, otherwise 502. */
export function describeTargetError(
  target: URL,
  error: Error,
): { readonly status: number; readonly body: string } {
  const timedOut = error instanceof TargetTimeout;
  return {
    status: timedOut ? 504 : 502,
    body: JSON.stringify({
      error: timedOut ? 'target_timeout' : 'target_unreachable',
      message: `propagation-check tap: ${target.origin} did not answer: ${error.message || error.name}`,
    }),
  };
}
