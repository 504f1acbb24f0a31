import { proseOf } from '../rules/findings.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { mapBy } from '../util/group-by.ts';
import type { Evidence, Finding, Result } from '../verdict/result.ts';
import { type DrawCall, prepareCalls } from './call-picture.ts';
import { describeCount } from './describe-count.ts';
import { drawCall, drawTrace } from './draw-trace.ts';
import { escapeText } from './escape-text.ts';
import type { ReportDetails } from './json.ts';
import { hang, type Layout, paint, truncate } from './layout.ts';
import { listAccepted, listErrorsFirst, listInfos } from './summary.ts';
import { renderVerdict, widestText } from './terminal.ts';
import { nameEdge, paintMark, renderEdges } from './terminal-edges.ts';
import {
  labelled,
  longestText,
  nameConfidently,
  renderAccepted,
  renderDoubt,
  renderFacts,
  renderStep,
} from './terminal-findings.ts';
import { renderUnreported } from './terminal-unreported.ts';

/** Each finding takes about fifteen lines; of further ones only the titles are shown. */
const mostFindings = 3;
/** Spans of the trace that an intact result shows, so that verdict, edges and trace fit on one screen. */
const mostSpans = 16;
const mostCandidates = 3;

/**
 * The result as a picture for people at a terminal; with one broken edge it fits on one screen. It shows the traces of the caller and of the
 * called service on one time axis, the cut between them, and what to do. An intact result shows one of its traces. The report `terminal`
 * has the details. Ends with a line feed.
 *
 * @param spans Whole traces, including those in the evidence of findings (`pickSpans`).
 */
export function renderTree(
  result: Result,
  details: ReportDetails,
  spans: readonly Span[],
  layout: Layout,
): string {
  const text = { ...layout, width: Math.min(layout.width, widestText) };
  const shown = listErrorsFirst(result);
  const findCall = prepareCalls(spans);
  const parts = [
    renderVerdict(result, details, text),
    renderEdges(result, text),
    ...shown.slice(0, mostFindings).map((finding) => renderFinding(finding, findCall, layout, text)),
    shown.slice(mostFindings).flatMap((finding) => renderTitle(finding, text)),
    shown.length > 0 ? [] : drawTrace(pickSample(spans), mostSpans, new Set(), layout),
    renderAccepted(listAccepted(result), text),
    renderInfos(result, text),
    result.explain === undefined ? [] : renderUnreported(result.explain, text),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

/** One finding, as `renderTree` shows it. @param text The layout of prose, which is narrower. */
export function renderFinding(
  finding: Finding,
  findCall: DrawCall,
  layout: Layout,
  text: Layout,
): readonly string[] {
  const { id, evidence, candidates = [], decide: [step] = [], fix } = finding;
  const [first] = evidence;
  const picture = first === undefined ? null : findCall(id, first);
  const likely = candidates.slice(0, mostCandidates).join(', ');
  return [
    ...renderTitle(finding, text),
    ...hang('  ', proseOf(id, finding.protocol).why, text),
    ...renderDoubt(finding, text),
    ...(picture === null ? sayEvidence(first, text) : drawCall(picture, layout)),
    ...renderFacts(finding, text),
    ...(likely === ''
      ? []
      : labelled('may be', candidates.length > mostCandidates ? `${likely}, …` : likely, text)),
    ...(step === undefined ? [] : renderStep(step, 0, 1, text)),
    ...labelled('fix', escapeText(fix), text),
    ...labelled('read', `propagation-check explain ${id}; --report terminal says more`, text),
  ];
}

function sayEvidence(evidence: Evidence | undefined, layout: Layout): readonly string[] {
  if (evidence === undefined) return [];
  const { says, traceId, spanId } = evidence;
  const seen = `${truncate(escapeText(says), longestText)}; trace ${traceId} span ${spanId}`;
  return labelled('seen', seen, layout);
}

function renderTitle(finding: Finding, layout: Layout): readonly string[] {
  const { id, severity } = finding;
  const where = `${nameEdge(finding, longestText)}, ${describeCount(finding)}`;
  const title = `${proseOf(id, finding.protocol).title} (${nameConfidently(finding)}): ${where}`;
  const mark = paintMark(layout, severity === 'error' ? 'error' : 'warning');
  return hang('  ', title, layout).map((line, index) =>
    index === 0 ? `${mark} ${paint(layout, 'bold', line.slice(2))}` : paint(layout, 'bold', line),
  );
}

/** The first of the traces that cross the most services. */
function pickSample(spans: readonly Span[]): readonly Span[] {
  let best: { readonly services: number; readonly spans: readonly Span[] } = { services: 0, spans: [] };
  for (const ofTrace of mapBy(spans, (span) => span.traceId).values()) {
    const services = new Set(ofTrace.map(({ serviceName }) => serviceName)).size;
    if (services > best.services) best = { services, spans: ofTrace };
  }
  return best.spans;
}

/** Counts of findings of severity `info`, in one line. */
function renderInfos(result: Result, layout: Layout): readonly string[] {
  const counts = new Map<string, number>();
  for (const { id, count } of listInfos(result)) counts.set(id, (counts.get(id) ?? 0) + count);
  if (counts.size === 0) return [];
  const names = [...counts].map(([id, count]) => `${id} (${countOf(count, 'time')})`);
  return hang('· ', names.join(', '), layout).map((line) => paint(layout, 'dim', line));
}
