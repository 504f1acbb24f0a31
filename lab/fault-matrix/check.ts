import { expectDemo, type Mode } from 'demo';
import { checkTraces } from 'propagation-check';
import { readExpectation } from './expectations.ts';
import type { Observation } from './observe.ts';
import { restoreEnds } from './restore-ends.ts';
import {
  expectFromSpans,
  expectFromTap,
  type RunScores,
  scoreBroken,
  scoreHealthy,
  scoreStatements,
} from './score.ts';

export function checkFault(
  name: string,
  mode: Mode,
  { spans: reported, wire, failed }: Observation,
): RunScores {
  const spans = restoreEnds(reported);
  const row = readExpectation(name);
  const expectation = expectDemo(mode);
  const headers = { wire, received: [] };
  const requests = failed?.length ?? 0;
  return {
    fromSpans: scoreBroken(checkTraces(spans, { expectation }), expectFromSpans(row, requests)),
    fromTap: scoreBroken(checkTraces(spans, { expectation, headers }), expectFromTap(row, requests)),
    blindly: null,
    statements: scoreStatements(failed ?? [], row, mode),
  };
}

export function checkHealthy(mode: Mode, { spans, wire, failed }: Observation): RunScores {
  const expectation = expectDemo(mode);
  const headers = { wire, received: [] };
  return {
    fromSpans: scoreHealthy(checkTraces(spans, { expectation })),
    fromTap: scoreHealthy(checkTraces(spans, { expectation, headers })),
    blindly: scoreHealthy(checkTraces(spans)),
    statements: scoreStatements(failed ?? [], { fails: [] }, mode),
  };
}
