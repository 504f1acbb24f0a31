import { checkPath } from './check.ts';
import type { CheckSettings, Spans } from './check-settings.ts';

/** The result of a matcher, as Vitest and Jest expect it. */
export interface MatcherResult {
  readonly pass: boolean;
  /** The text that the command line prints. */
  readonly message: () => string;
}

/** The types of the matchers on `expect`, which `propagation-check/vitest` and `propagation-check/jest` declare. */
export interface PropagationMatchers {
  /** Passes when every edge of the path was seen and is intact, as `expectPropagation`. */
  toPropagate(path: string, settings?: CheckSettings): Promise<void>;
}

/** `propagation-check/vitest` and `propagation-check/jest` call `expect.extend(matchers)`: `await expect(receiver).toPropagate('web -> orders')`. */
export const matchers = {
  /** Passes when every edge of the path was seen and is intact, as `expectPropagation`. */
  async toPropagate(from: Spans, path: string, settings?: CheckSettings): Promise<MatcherResult> {
    const { outcome, explanation } = await checkPath(from, path, settings);
    // Throws, so that an unknown verdict fails with `.not` too.
    if (outcome === 'unknown') throw new Error(explanation);
    return { pass: outcome === 'passed', message: () => explanation };
  },
};
