import { type CheckSettings, checkPath, type Spans } from './check.ts';

/** As Vitest and Jest have it. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** The matchers as `expect` has them. `propagation-check/vitest` and `propagation-check/jest` declare them. */
export interface PropagationMatchers {
  toPropagate(path: string, settings?: CheckSettings): Promise<void>;
}

/** For `expect.extend(matchers)`, which `propagation-check/vitest` and `propagation-check/jest` do: `await expect(receiver).toPropagate('web -> orders')`. */
export const matchers = {
  async toPropagate(from: Spans, path: string, settings?: CheckSettings): Promise<MatcherResult> {
    const { result, explanation } = await checkPath(from, path, settings);
    // Where nothing tells, `.not` must fail too.
    if (result.verdict === 'unknown') throw new Error(explanation);
    return { pass: result.verdict === 'intact', message: () => explanation };
  },
};
