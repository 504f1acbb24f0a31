import type { TraceCheck } from './run.ts';

export interface StateCounts {
  readonly number: number;
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** For each statement, in how many traces it passed, failed and was skipped. */
export function countStates(checks: readonly TraceCheck[]): readonly StateCounts[] {
  const byNumber = Map.groupBy(
    checks.flatMap((check) => check.statements),
    (statement) => statement.number,
  );
  return [...byNumber].map(([number, statements]) => {
    const count = (state: 'passed' | 'failed' | 'skipped') =>
      statements.filter((statement) => statement.state === state).length;
    return {
      number,
      title: statements[0]?.title ?? '',
      passed: count('passed'),
      failed: count('failed'),
      skipped: count('skipped'),
    };
  });
}
