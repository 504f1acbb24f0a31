import { isDeepStrictEqual } from 'node:util';
import type { Mode } from 'demo';
import type { Finding, FindingId, Result } from 'propagation-check';
import { type Expectation, isShownBy } from './expectations.ts';

/** The exact result of the checker for one run. */
export interface Expected {
  /** The finding that the checker must report: the real cause, or a symptom. A report of the cause is right too. */
  readonly finding: FindingId;
  /** The real cause: the finding itself, or one of its candidates. */
  readonly cause: FindingId;
  /** Number of calls that show the fault. */
  readonly count: number;
}

/**
 * `named`: the checker reports the real cause. `undecided`: it reports the expected symptom, with the cause among its candidates.
 * `healthy`: there is nothing to find, and it finds nothing.
 */
export type Grade = 'named' | 'undecided' | 'wrong' | 'missed' | 'healthy' | 'false alarm';

export interface Score {
  readonly grade: Grade;
  /** The finding that decided the grade. */
  readonly reported: FindingId | null;
  /** All other problems; empty when the row is right. */
  readonly problems: readonly string[];
}

/** The scores of one run of the real services. */
export interface RunScores {
  readonly fromSpans: Score;
  /** With spans and taps. */
  readonly fromTap: Score;
  /** Without expectations; healthy runs only. */
  readonly blindly: Score | null;
  /** The problems of the assertion's statements. */
  readonly statements: readonly string[];
}

/** Findings that are always warnings: they do not make an edge broken. */
const warnings: ReadonlySet<FindingId> = new Set(['service-unnamed', 'clock-skew']);

export function expectFromSpans(expectation: Expectation, requests: number): Expected {
  const { fromSpans, cause } = expectation;
  return { finding: fromSpans, cause, count: countShown(expectation, requests) };
}

export function expectFromTap(expectation: Expectation, requests: number): Expected {
  const { cause } = expectation;
  return { finding: cause, cause, count: countShown(expectation, requests) };
}

function countShown(expectation: Expectation, requests: number): number {
  return Array.from({ length: requests }, (_, request) => isShownBy(expectation, request)).filter(Boolean)
    .length;
}

/** @param failed for each request, the numbers of the failed statements @returns the differences from the expectation */
export function scoreStatements(
  failed: readonly (readonly number[])[],
  expectation: Omit<Expectation, 'cause' | 'fromSpans'>,
  mode: Mode,
): readonly string[] {
  const { fails, failsInManual = fails, failsInOthers = [] } = expectation;
  const shown = mode === 'manual' ? failsInManual : fails;
  const problems = failed.map((found, request) => {
    const expected = isShownBy(expectation, request) ? shown : failsInOthers;
    const isRight = isDeepStrictEqual(found, expected);
    return isRight ? null : `statements ${list(found)} fail instead of ${list(expected)}`;
  });
  return [...Map.groupBy(problems.keys(), (request) => problems[request] ?? null)].flatMap(
    ([problem, requests]) =>
      problem === null ? [] : [`${problem} (request ${list(requests.map((request) => request + 1))})`],
  );
}

function list(numbers: readonly number[]): string {
  return numbers.join(', ') || 'none';
}

/** The scores of a system that could not be judged: a problem in every column. */
export function scoreNothing(reason: string): RunScores {
  const score: Score = { grade: 'missed', reported: null, problems: [reason] };
  return { fromSpans: score, fromTap: score, blindly: null, statements: [reason] };
}

export function scoreHealthy(result: Result): Score {
  const [alarm] = result.findings.filter(isAlarm);
  if (alarm !== undefined) {
    return { grade: 'false alarm', reported: alarm.id, problems: [`false alarm: ${describe(alarm)}`] };
  }
  const whole = result.edges.some(
    (edge) => edge.client === 'service-a' && edge.server === 'service-b' && edge.calls > 0,
  );
  return {
    grade: 'healthy',
    reported: null,
    problems: whole ? [] : ['no call from service-a to service-b was seen'],
  };
}

export function scoreBroken(result: Result, expected: Expected): Score {
  const alarms = result.findings.filter(isAlarm);
  const found =
    alarms.find((finding) => finding.id === expected.cause) ??
    alarms.find((finding) => finding.id === expected.finding);
  const [first] = alarms;
  const problems = [
    ...(found === undefined
      ? [`expected ${expected.finding}, found ${first === undefined ? 'nothing' : describe(first)}`]
      : checkFinding(found, expected)),
    ...alarms.filter((finding) => finding !== found && finding !== first).map(describeOther),
    ...(found !== undefined && first !== undefined && first !== found ? [describeOther(first)] : []),
    ...checkEdges(result, expected),
  ];
  const reported = found?.id ?? first?.id ?? null;
  return { grade: gradeBroken(reported, found, expected), reported, problems };
}

function gradeBroken(reported: FindingId | null, found: Finding | undefined, expected: Expected): Grade {
  if (reported === null) return 'missed';
  if (found === undefined) return 'wrong';
  if (found.id === expected.cause) return 'named';
  return found.candidates?.includes(expected.cause) ? 'undecided' : 'wrong';
}

/** A warning counts as an alarm if a fault of the table causes it. */
function isAlarm(finding: Finding): boolean {
  return finding.severity === 'error' || warnings.has(finding.id);
}

function checkFinding(found: Finding, { cause, count }: Expected): readonly string[] {
  return [
    ...(found.id === cause || found.candidates?.includes(cause)
      ? []
      : [`${cause} is not among the candidates of ${describe(found)}`]),
    // `service-unnamed` counts spans, because an unnamed service has no edge.
    ...(found.count === count || found.id === 'service-unnamed'
      ? []
      : [`${found.id} has count ${found.count} instead of ${count}`]),
  ];
}

/** The broken edge must be reported with these numbers; a warning breaks no edge. */
function checkEdges(result: Result, { finding, count }: Expected): readonly string[] {
  if (warnings.has(finding)) return [];
  const edge = result.edges.find((one) => one.client === 'service-a' && one.server === 'service-b');
  if (edge?.broken === count) return [];
  return [`edge service-a -> service-b: ${edge?.broken ?? 0} broken instead of ${count}`];
}

function describeOther(finding: Finding): string {
  return `also ${describe(finding)}`;
}

function describe({ id, client, server, count, candidates }: Finding): string {
  const causes = candidates === undefined ? '' : ` (${candidates.join(', ')})`;
  return `${id}${causes} on ${client ?? '?'} -> ${server ?? '?'}, ${count} times`;
}
