import { keyFor } from '../util/group-by.ts';
import type { Finding, Result } from '../verdict/result.ts';
import { escapeText } from './escape-text.ts';
import { escapeXml } from './escape-xml.ts';
import type { ReportDetails } from './json.ts';
import { describeNotes, nameVerdict, summarise } from './summary.ts';
import { nameEdge } from './terminal-edges.ts';
import { type FindingOptions, renderFinding } from './terminal-findings.ts';

const suiteName = 'propagation-check';
/** Names of services are cut at this. */
const longestName = 400;
const textWidth = 100;

interface TestCase {
  readonly name: string;
  readonly failures: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** Why there is no verdict. */
  readonly error: string | null;
}

/**
 * The result for continuous integration: a test case for each edge, and one for each finding of no edge. Without a verdict a case
 * of its own is an error, so that nothing that did not come looks like nothing that failed.
 */
export function renderJunit(result: Result, details: ReportDetails, options: FindingOptions): string {
  const cases = listCases(result, details);
  const layout = { ...options, width: textWidth, color: false };
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const errors = cases.filter(({ error }) => error !== null).length;
  const counts = `name="${suiteName}" tests="${cases.length}" failures="${failed}" errors="${errors}"`;
  const headline = `${nameVerdict(result.verdict)}  ${summarise(result, details)}`;
  const about = [headline, ...describeNotes(details).map(escapeText)];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `<testsuite ${counts}>`,
    ...cases.map((each) => renderCase(each, layout)),
    `<system-out>${escapeXml(about.join('\n'))}</system-out>`,
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function listCases(result: Result, details: ReportDetails): readonly TestCase[] {
  const { edges, findings, verdict } = result;
  const shown = findings.filter((finding) => finding.severity !== 'info');
  const places = new Map(
    [...edges, ...shown].map(({ client, server }) => [keyFor(client, server), { client, server }]),
  );
  const ofEdges = [...places].map(([key, place]) => {
    const own = shown.filter(({ client, server }) => keyFor(client, server) === key);
    return {
      name: nameEdge(place, longestName),
      failures: own.filter((finding) => finding.severity === 'error'),
      warnings: own.filter((finding) => finding.severity === 'warning'),
      error: null,
    };
  });
  const whole = { name: 'verdict', failures: [], warnings: [] };
  if (verdict === 'unknown') return [...ofEdges, { ...whole, error: summarise(result, details) }];
  return ofEdges.length > 0 ? ofEdges : [{ ...whole, error: null }];
}

function renderCase({ name, failures, warnings, error }: TestCase, options: FindingOptions): string {
  const start = `<testcase classname="${suiteName}" name="${escapeXml(name)}"`;
  const text = (findings: readonly Finding[]) =>
    escapeXml(findings.map((finding) => renderFinding(finding, options).join('\n')).join('\n\n'));
  const ids = failures.map(({ id }) => id).join(', ');
  const parts = [
    ...(failures.length > 0
      ? [`<failure type="${ids}" message="${escapeXml(failures[0]?.fix ?? '')}">${text(failures)}</failure>`]
      : []),
    ...(error !== null ? [`<error type="unknown" message="${escapeXml(error)}"/>`] : []),
    ...(warnings.length > 0 ? [`<system-out>${text(warnings)}</system-out>`] : []),
  ];
  return parts.length === 0 ? `${start}/>` : `${start}>\n${parts.join('\n')}\n</testcase>`;
}
