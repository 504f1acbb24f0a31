import { checkTraces, type ReceivedTraceparent, type Result, type Span } from 'propagation-check';
import { mapConcurrently } from 'propagation-check/kit';
import { expectDemo } from '../expect-demo.ts';
import { type CheckOptions, checkCall } from './check-call.ts';
import { demoParties, findRoles } from './roles.ts';
import type { AssertionRun, Call, TraceCheck } from './run.ts';
import type { Mode } from './statements.ts';

interface AllCheckOptions extends CheckOptions {
  readonly concurrency: number;
  /**
   * Reads every span after the last has arrived, for the causes: a certainly broken call is judged before that. Without this function the
   * causes come from the spans that were judged.
   */
  readonly readLast?: () => Promise<readonly Span[]>;
}

/** Checks the traces of all calls, at most `concurrency` at a time. */
export async function checkCalls(calls: readonly Call[], options: AllCheckOptions): Promise<AssertionRun> {
  const checks = await mapConcurrently(calls, options.concurrency, (call) => checkCall(call, options));
  const { mode, source, readLast } = options;
  const spans = (await readLast?.()) ?? checks.flatMap((check) => check.spans);
  const result = findCauses(checks, spans, mode);
  return { verdict: sumUp(checks), mode, source: source.name, checks, result };
}

/** The engine checks the same spans independently, with the header that service B reports as evidence. */
function findCauses(checks: readonly TraceCheck[], spans: readonly Span[], mode: Mode): Result | null {
  if (spans.length === 0) return null;
  return checkTraces(spans, {
    expectation: expectDemo(mode),
    headers: { wire: [], received: checks.flatMap(readReceived) },
  });
}

function readReceived({ answer, spans }: TraceCheck): readonly ReceivedTraceparent[] {
  if (answer === null) return [];
  return findRoles(answer, spans, demoParties)
    .serverOfB.filter(({ traceId }) => traceId === answer.service_b_trace_id)
    .map(({ traceId, spanId }) => ({ traceId, spanId, traceparent: answer.traceparent_header }));
}

function sumUp(checks: readonly TraceCheck[]): AssertionRun['verdict'] {
  const verdicts = checks.map((check) => check.verdict);
  if (verdicts.includes('broken')) return 'broken';
  return verdicts.includes('unknown') ? 'unknown' : 'intact';
}
