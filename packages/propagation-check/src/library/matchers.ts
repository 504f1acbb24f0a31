import { type CheckSettings, checkPath, type Spans } from './check.ts';

/** As Vitest and Jest have it. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** For `expect.extend(matchers)` of Vitest and Jest: `await expect(receiver).toPropagate('web -> orders')`. */
export const matchers = {
  async toPropagate(from: Spans, path: string, settings?: CheckSettings): Promise<MatcherResult> {
    const { outcome, explanation } = await checkPath(from, path, settings);
    // Where nothing tells, `.not` must fail too.
    if (outcome === 'unknown') throw new Error(explanation);
    return { pass: outcome === 'passed', message: () => explanation };
  },
};
