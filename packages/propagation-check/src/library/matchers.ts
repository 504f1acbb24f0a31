import { checkPath } from './check.ts';
import type { CheckSettings, Spans } from './check-settings.ts';

/** As Vitest and Jest have it. */
export interface MatcherResult {
  readonly pass: boolean;
  /** The text that the command line prints. */
  readonly message: () => string;
}

/** The matchers as `expect` has them. `propagation-check/vitest` and `propagation-check/jest` declare them. */
export interface PropagationMatchers {
  /** Passes when every edge of the path was seen and is intact, as `expectPropagation`. */
  toPropagate(path: string, settings?: CheckSettings): Promise<void>;
}

/** For `expect.extend(matchers)`, which `propagation-check/vitest` and `propagation-check/jest` do: `await expect(receiver).toPropagate('web -> orders')`. */
export const matchers = {
  /** Passes when every edge of the path was seen and is intact, as `expectPropagation`. */
  async toPropagate(from: Spans, path: string, settings?: CheckSettings): Promise<MatcherResult> {
    const { outcome, explanation } = await checkPath(from, path, settings);
    // Without a verdict `.not` must fail too.
    if (outcome === 'unknown') throw new Error(explanation);
    return { pass: outcome === 'passed', message: () => explanation };
  },
};
