import { type CheckSettings, checkPath, type Spans } from './check.ts';

/** As Vitest and Jest have it. */
export interface MatcherResult {
  readonly pass: boolean;
  /** The text that the command line prints. */
  readonly message: () => string;
}

/** For `expect.extend(matchers)` of Vitest and Jest: `await expect(receiver).toPropagate('web -> orders')`. */
export const matchers = {
  /** Passes when every edge of the path was seen and is intact, as `expectPropagation`. */
  async toPropagate(from: Spans, path: string, settings?: CheckSettings): Promise<MatcherResult> {
    const { result, explanation } = await checkPath(from, path, settings);
    // Where nothing tells, `.not` must fail too.
    if (result.verdict === 'unknown') throw new Error(explanation);
    return { pass: result.verdict === 'intact', message: () => explanation };
  },
};
