import { nameCall } from '../calls/name-call.ts';
import { proseOf } from '../rules/findings.ts';
import { countOf } from '../util/count-of.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { fails, isAccepted } from '../verdict/decide-verdict.ts';
import type { EdgeResult, Finding, Result, Undecided } from '../verdict/result.ts';
import { describeCount } from './describe-count.ts';
import { escapeText } from './escape-text.ts';
import { escapeXml } from './escape-xml.ts';
import type { ReportDetails } from './json.ts';
import { describeNotes, nameAcceptance, nameVerdict, sumCalls, summarise } from './summary.ts';
import { describeCallsJudged, isPast, labelService, nameEdge } from './terminal-edges.ts';
import { type FindingOptions, nameConfidently, renderFinding } from './terminal-findings.ts';

const suiteName = 'propagation-check';
/** Longer names of services are cut. */
const longestName = 400;
const textWidth = 100;

interface TestCase {
  readonly name: string;
  readonly failures: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** Texts on findings that are known or tolerated. */
  readonly accepted: readonly string[];
  /** How many calls of the edge are judged, where these are too few for a verdict; otherwise null. */
  readonly open: string | null;
  /** The case is reported as skipped: nothing in it fails, and it is accepted or open. */
  readonly isSkipped: boolean;
  /** Why there is no verdict. */
  readonly error: string | null;
}

/**
 * The result for continuous integration: a test case for each edge, and one for each finding without an edge. Without a verdict there is an
 * extra case with an error, so that missing spans do not look like a success.
 */
export function renderJunit(result: Result, details: ReportDetails, options: FindingOptions): string {
  const cases = listCases(result, details);
  const layout = { ...options, width: textWidth, color: false, isShared: true };
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const errors = cases.filter(({ error }) => error !== null).length;
  const skipped = cases.filter(({ isSkipped }) => isSkipped).length;
  const counts = `name="${suiteName}" tests="${cases.length}" failures="${failed}" errors="${errors}"`;
  const headline = `${nameVerdict(result, details)}  ${summarise(result, details)}`;
  const about = [headline, ...describeNotes(details).map(escapeText)];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `<testsuite ${counts} skipped="${skipped}">`,
    ...cases.map((each) => renderCase(each, layout)),
    `<system-out>${escapeXml(about.join('\n'))}</system-out>`,
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function listCases(result: Result, details: ReportDetails): readonly TestCase[] {
  const { edges, findings, verdict, undecided = [] } = result;
  const { failOn = 'error' } = details;
  const shown = findings.filter((finding) => finding.severity !== 'info');
  const places = mapBy<string, Place>([...edges, ...shown], placeOf);
  const ofEdges = [...places].map(([key, [place, ...others]]): TestCase => {
    const own = shown.filter((finding) => placeOf(finding) === key);
    const accepted = own.filter(isAccepted);
    const failures = own.filter((finding) => fails(finding, failOn));
    const ofPlace = edges.filter((edge) => placeOf(edge) === key);
    const left = undecided.filter((one) => placeOf(one) === key);
    const open = left.length === 0 ? null : left.map((one) => describeOpen(ofPlace, one)).join('; ');
    const isAside =
      [place, ...others].every((one) => one.tolerated === true || isPast(one)) ||
      accepted.some(({ severity }) => severity === 'error');
    return {
      name: nameEdge(place, longestName),
      failures,
      warnings: own.filter((finding) => !isAccepted(finding) && !fails(finding, failOn)),
      accepted: [
        ...accepted.map((finding) => `${nameAcceptance(finding)}: ${finding.id}, ${describeCount(finding)}`),
        ...[place, ...others].flatMap(({ past }) =>
          past === undefined ? [] : [`${countOf(past.calls, 'call')} past ${labelService(past.service)}`],
        ),
      ],
      open,
      isSkipped: (isAside || open !== null) && failures.length === 0,
      error: null,
    };
  });
  const whole = { name: 'verdict', failures: [], warnings: [], accepted: [], open: null, isSkipped: false };
  if (verdict === 'unknown') return [...ofEdges, { ...whole, error: summarise(result, details) }];
  return ofEdges.length > 0 ? ofEdges : [{ ...whole, error: null }];
}

type Place = Pick<EdgeResult, 'client' | 'server' | 'tolerated' | 'past'> &
  Partial<Pick<EdgeResult, 'calls'>>;

function placeOf({ client, server }: Place): string {
  return keyFor(client, server);
}

function describeOpen(edges: readonly EdgeResult[], { says, protocol }: Undecided): string {
  const own = edges.filter((edge) => protocol === undefined || edge.protocol === protocol);
  const [calls, unjudged] = [sumCalls(own, 'calls'), sumCalls(own, 'unjudged')];
  const [one] = own;
  return unjudged === 0 || one === undefined
    ? escapeText(says)
    : describeCallsJudged({ calls, unjudged }, nameCall(one));
}

/** The message of a failure: lists of test results show only this line. */
function describe(finding: Finding): string {
  return `${proseOf(finding.id, finding.protocol).title} (${nameConfidently(finding)}), ${describeCount(finding)}`;
}

function renderCase(testCase: TestCase, options: FindingOptions): string {
  const { name, failures, warnings, accepted, open, isSkipped, error } = testCase;
  const start = `<testcase classname="${suiteName}" name="${escapeXml(name)}"`;
  const render = (findings: readonly Finding[]) =>
    findings.map((finding) => renderFinding(finding, options).join('\n'));
  const ids = failures.map(({ id }) => id).join(', ');
  const reasons = open === null ? accepted : [open, ...accepted];
  const reason = reasons.length === 0 ? 'tolerated' : reasons.join('; ');
  const beside = [...render(warnings), ...(isSkipped ? [] : accepted)].join('\n\n');
  const parts = [
    ...(isSkipped ? [`<skipped message="${escapeXml(reason)}"/>`] : []),
    ...(failures.length > 0
      ? [
          `<failure type="${ids}" message="${escapeXml(failures.map(describe).join('; '))}">${escapeXml(render(failures).join('\n\n'))}</failure>`,
        ]
      : []),
    ...(error !== null ? [`<error type="unknown" message="${escapeXml(error)}"/>`] : []),
    ...(beside === '' ? [] : [`<system-out>${escapeXml(beside)}</system-out>`]),
  ];
  return parts.length === 0 ? `${start}/>` : `${start}>\n${parts.join('\n')}\n</testcase>`;
}
