import { checkTraces, type Span } from 'propagation-check';
import type { Answer } from '../../assertion/answer.ts';
import type { AssertionRun, TraceCheck } from '../../assertion/run.ts';
import { judgeNoAnswer, judgeStatements, type Mode } from '../../assertion/statements.ts';

/** A run as `checkCalls` makes it. */
export function makeRun(checks: readonly TraceCheck[], mode: Mode = 'auto'): AssertionRun {
  const verdict =
    checks.find((check) => check.verdict === 'broken')?.verdict ??
    checks.find((check) => check.verdict === 'unknown')?.verdict ??
    'intact';
  const spans = checks.flatMap((check) => check.spans);
  return {
    verdict,
    mode,
    source: 'jaeger=http://localhost:16686',
    checks,
    result: spans.length === 0 ? null : checkTraces(spans),
  };
}

export function makeCheck(answer: Answer, spans: readonly Span[], mode: Mode = 'auto'): TraceCheck {
  const statements = judgeStatements(answer, spans, { mode });
  const verdict = statements.some(({ state }) => state === 'failed') ? 'broken' : 'intact';
  return { verdict, silence: null, answer, statements, spans, elapsedMs: 812.4 };
}

export function makeSilent(reason: string): TraceCheck {
  const silence = { hop: 'service A', reason } as const;
  return {
    verdict: 'unknown',
    silence,
    answer: null,
    statements: judgeNoAnswer(reason),
    spans: [],
    elapsedMs: 3,
  };
}
