import type { AssertionRun } from './run.ts';

export interface Outcome {
  readonly verdict: AssertionRun['verdict'];
  /** Whether the account of the spans agrees; null without one. */
  readonly isBalanced: boolean | null;
  /** The trace of service A's first answer; undefined without one. */
  readonly traceId: string | undefined;
  /** The source of the trace, as the host names it. */
  readonly source: string;
}

/** The command to try after the assertion: see the trace break, or learn why it did. */
export function findNextCommand({ verdict, isBalanced, traceId, source }: Outcome): string {
  if (verdict !== 'intact') {
    return traceId === undefined
      ? 'docker compose logs'
      : `npm run propagation-check -- trace ${traceId} --source ${source}`;
  }
  // The hops say in their logs why they have dropped spans.
  if (isBalanced === false) return 'docker compose logs';
  return 'FAULT=strip-traceparent docker compose run --rm assert';
}
