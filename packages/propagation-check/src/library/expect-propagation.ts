import { type Checked, checkPath } from './check.ts';
import type { CheckSettings, Spans } from './check-settings.ts';

/** Propagation is broken, or the verdict is unknown. The message is the explanation that the command line prints. */
export class PropagationError extends Error {
  override readonly name = 'PropagationError';
  readonly result: Checked['result'];

  constructor({ result, explanation }: Checked) {
    super(explanation);
    this.result = result;
  }
}

/**
 * Waits until the context has passed along a path, `web -> orders -> payments`. For node:test and every other test runner.
 *
 * @throws {PropagationError} when an edge of the path is broken, or was never seen.
 */
export async function expectPropagation(from: Spans, path: string, settings?: CheckSettings): Promise<void> {
  const checked = await checkPath(from, path, settings);
  if (checked.outcome !== 'passed') throw new PropagationError(checked);
}
