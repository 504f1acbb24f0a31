import type { Result } from '../verdict/result.ts';
import { escapeText } from './escape-text.ts';
import type { ReportDetails, RequestCounts, SearchExtent } from './json.ts';
import { hang, type Layout, paint, type Style } from './layout.ts';
import { countOf, markEdge, renderEdges } from './terminal-edges.ts';
import { type FindingOptions, renderFinding, renderInfos } from './terminal-findings.ts';
import { renderUnreported } from './terminal-unreported.ts';

/** Longer lines of prose are hard to read. */
const widestText = 110;

const verdicts = {
  intact: ['INTACT', 'green'],
  broken: ['BROKEN', 'red'],
  unknown: ['CANNOT TELL', 'yellow'],
} as const satisfies Record<Result['verdict'], readonly [string, Style]>;

/** The result for people. The first line is the verdict; every text from outside is escaped. Ends with a line break. */
export function renderTerminal(result: Result, details: ReportDetails, options: FindingOptions): string {
  const layout = { ...options, width: Math.min(options.width, widestText) };
  const infos = result.findings.filter((finding) => finding.severity === 'info');
  const others = [
    ...result.findings.filter((finding) => finding.severity === 'error'),
    ...result.findings.filter((finding) => finding.severity === 'warning'),
  ];
  const parts = [
    [...renderVerdict(result, details, layout), ...renderDetails(details, layout)],
    renderEdges(result, layout),
    ...others.map((finding) => renderFinding(finding, layout)),
    infos.length === 0 ? [] : ['Good to know:', ...renderInfos(infos, layout)],
    result.explain === undefined ? [] : renderUnreported(result.explain, layout),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

function renderVerdict(result: Result, details: ReportDetails, layout: Layout): readonly string[] {
  const [word, style] = verdicts[result.verdict];
  const label = `${word}  `;
  return hang(label, summarise(result, details), layout).map((line, index) =>
    index === 0 ? `${paint(layout, style, label.trimEnd())}  ${line.slice(label.length)}` : line,
  );
}

/** Failed requests are the likeliest reason why there is no verdict, so that they come first there. */
function summarise(result: Result, { reason, requests, search }: ReportDetails): string {
  const summary =
    result.verdict === 'unknown' && reason !== null ? escapeText(reason) : summariseEdges(result);
  const failed = describeFailed(requests);
  const facts = result.verdict === 'unknown' ? [...failed, summary] : [summary, ...failed];
  return [...facts, ...describeLimit(search)].join('; ');
}

function describeFailed(requests: RequestCounts | undefined): readonly string[] {
  if (requests === undefined || requests.failed === 0) return [];
  const { sent, failed, failures } = requests;
  return [`${failed} of ${countOf(sent, 'request')} failed (${escapeText(failures.join(', '))})`];
}

function describeLimit(search: SearchExtent | undefined): readonly string[] {
  if (search === undefined || !search.limitReached) return [];
  const limit = countOf(search.limit, 'trace');
  return [`the search ended at its limit of ${limit}, so that older ones may be left out (--limit)`];
}

function summariseEdges({ verdict, edges, findings, traces, spans }: Result): string {
  const read = `${countOf(traces, 'trace')}, ${countOf(spans, 'span')}`;
  if (verdict === 'unknown') return `nothing to judge (${read})`;
  const broken = edges.filter((edge) => markEdge(edge, findings) === 'error');
  const calls = edges.reduce((sum, edge) => sum + edge.calls, 0);
  if (verdict === 'broken') {
    const brokenCalls = edges.reduce((sum, edge) => sum + edge.broken, 0);
    return `${broken.length} of ${countOf(edges.length, 'edge')}, ${brokenCalls} of ${countOf(calls, 'call')} (${read})`;
  }
  if (edges.length === 0) return `no call between two services was seen, and nothing is broken (${read})`;
  const warnings = findings.filter((finding) => finding.severity === 'warning').length;
  const but = warnings === 0 ? '' : `, ${countOf(warnings, 'warning')}`;
  return `${countOf(edges.length, 'edge')}, ${countOf(calls, 'call')}${but} (${read})`;
}

function renderDetails({ notes, collector }: ReportDetails, layout: Layout): readonly string[] {
  const lost = collector === null ? 0 : collector.refused + collector.sendFailed + collector.enqueueFailed;
  const counted =
    collector === null
      ? []
      : [
          lost === 0
            ? `${collector.name}: no span refused, failed or dropped`
            : `${collector.name}: ${collector.refused} spans refused, ${collector.sendFailed} given up by exporters, ` +
              `${collector.enqueueFailed} dropped from full queues since it started; spans that are missing may be among them`,
        ];
  return [...notes, ...counted].flatMap((note) => hang('note  ', escapeText(note), layout));
}
