import type { AssertionRun } from './run.ts';

export interface Outcome {
  readonly verdict: AssertionRun['verdict'];
  /** Whether the account of the spans agrees; null without an account. */
  readonly isBalanced: boolean | null;
  /** The trace id in service A's first answer; undefined without an answer. */
  readonly traceId: string | undefined;
  /** The source of the trace, as the host names it. */
  readonly source: string;
}

/** The command to try after the assertion: break the trace, or find out why it broke. */
export function findNextCommand({ verdict, isBalanced, traceId, source }: Outcome): string {
  if (verdict !== 'intact') {
    return traceId === undefined
      ? 'docker compose logs'
      : `npm run propagation-check -- trace ${traceId} --source ${source}`;
  }
  // The logs say why a hop has dropped spans.
  if (isBalanced === false) return 'docker compose logs';
  return 'FAULT=strip-traceparent docker compose run --rm assert';
}
