import type { Mode } from 'demo';
import { checkTraces, type Expectation, expectPath, noExpectation } from 'propagation-check';
import type { FaultName } from '../service-a/src/fault.ts';
import type { Observation } from './fault-run.ts';
import { expectFromSpans, expectFromTap, type RunScores, scoreBroken, scoreHealthy } from './fault-score.ts';
import { faultTable } from './fault-table.ts';

/** What a person would say of the demo: A calls B, in manual mode it sends baggage, and B's answers name its span. */
export function expectDemo(mode: Mode): Expectation {
  return {
    ...noExpectation,
    edges: expectPath(['service-a', 'service-b']),
    baggage: mode === 'manual' ? { hello: 'world' } : {},
    traceresponse: ['service-b'],
  };
}

export function checkFault(
  name: FaultName,
  mode: Mode,
  { spans, wire }: Observation,
  requests: number,
): RunScores {
  const row = faultTable[name];
  const expectation = expectDemo(mode);
  const headers = { wire, received: [] };
  return {
    fromSpans: scoreBroken(checkTraces(spans, { expectation }), expectFromSpans(row, requests)),
    fromTap: scoreBroken(checkTraces(spans, { expectation, headers }), expectFromTap(row, requests)),
    blindly: null,
  };
}

export function checkHealthy(mode: Mode, { spans, wire }: Observation): RunScores {
  const expectation = expectDemo(mode);
  const headers = { wire, received: [] };
  return {
    fromSpans: scoreHealthy(checkTraces(spans, { expectation })),
    fromTap: scoreHealthy(checkTraces(spans, { expectation, headers })),
    blindly: scoreHealthy(checkTraces(spans)),
  };
}
