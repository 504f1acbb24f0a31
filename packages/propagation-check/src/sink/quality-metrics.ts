import { type EdgeCount, otherService, type Verdict } from './edge-counters.ts';

/**
 * The answer that the page "Trace Quality" of Jaeger's UI reads. Source: jaeger-ui, `components/QualityMetrics/types.ts`; jaeger,
 * `cmd/query/app/qualitymetrics/data_types.go`.
 */
export interface QualityMetrics {
  readonly traceQualityDocumentationLink: string;
  readonly bannerText?: { readonly value: string; readonly styling: Readonly<Record<string, string>> };
  readonly scores: readonly Score[];
  readonly metrics: readonly Metric[];
}

interface Score {
  readonly key: string;
  readonly label: string;
  /** Whole numbers. */
  readonly max: number;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  /** The key of a score. */
  readonly category: string;
  readonly description: string;
  readonly metricDocumentationLink: string;
  readonly metricWeight: number;
  readonly passCount: number;
  readonly passExamples: readonly TraceExample[];
  readonly failureCount: number;
  readonly failureExamples: readonly TraceExample[];
  readonly exemptionCount: number;
  readonly exemptionExamples: readonly TraceExample[];
  readonly details: readonly Details[];
}

interface TraceExample {
  readonly traceID: string;
  readonly spanIDs: readonly string[];
}

interface Details {
  readonly description: string;
  readonly header: string;
  readonly columns: readonly { readonly key: string; readonly label: string }[];
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

const docs = 'https://www.npmjs.com/package/propagation-check';
const whole = 100;
/** A service may have any number of neighbours. */
const mostMetrics = 200;

const categories = [
  { key: 'received', label: 'Calls received with their context', side: 'server' },
  { key: 'made', label: 'Calls made with their context', side: 'client' },
] as const;

/** The share of intact calls of a service, for each edge and over all, with example traces. Undecided calls are exempt. */
export function renderQualityMetrics(service: string, counts: readonly EdgeCount[]): QualityMetrics {
  const metrics = categories
    .flatMap(({ key, side }) =>
      groupEdges(counts.filter((count) => count[side] === service)).map((edge) => toMetric(edge, key)),
    )
    .filter(({ passCount, failureCount }) => passCount + failureCount > 0)
    .sort((one, other) => other.failureCount - one.failureCount || other.passCount - one.passCount);
  const scores = categories.flatMap(({ key, label }) => {
    const own = metrics.filter(({ category }) => category === key);
    const [passed, failed] = [sum(own, 'passCount'), sum(own, 'failureCount')];
    // Rounded down: one broken call is not 100.
    return passed + failed === 0
      ? []
      : [{ key, label, max: whole, value: Math.floor((passed / (passed + failed)) * whole) }];
  });
  return {
    traceQualityDocumentationLink: docs,
    ...(metrics.length === 0
      ? { bannerText: { value: `No call of ${service} was judged yet.`, styling: {} } }
      : {}),
    scores,
    metrics: metrics.slice(0, mostMetrics),
  };
}

function groupEdges(counts: readonly EdgeCount[]): readonly (readonly EdgeCount[])[] {
  const edges = new Map<string, EdgeCount[]>();
  for (const count of counts) {
    const key = JSON.stringify([count.client, count.server]);
    edges.set(key, [...(edges.get(key) ?? []), count]);
  }
  return [...edges.values()];
}

function toMetric(counts: readonly EdgeCount[], category: string): Metric {
  const [first] = counts;
  const of = (verdict: Verdict) => counts.filter((count) => count.verdict === verdict);
  const callsOf = (verdict: Verdict) => of(verdict).reduce((total, { calls }) => total + calls, 0);
  const examplesOf = (verdict: Verdict) =>
    of(verdict)
      .flatMap(({ examples }) => examples)
      .map(({ traceId, spanIds }) => ({ traceID: traceId, spanIDs: spanIds }));
  const caused = counts.filter(({ cause }) => cause !== '');
  const [client, server] = [first?.client ?? otherService, first?.server ?? otherService];
  return {
    name: `${client} → ${server}`,
    category,
    description: `Calls of ${client} that ${server} continued in the same trace, below the caller's span.`,
    metricDocumentationLink: docs,
    metricWeight: 1,
    passCount: callsOf('intact'),
    passExamples: examplesOf('intact'),
    failureCount: callsOf('broken'),
    failureExamples: examplesOf('broken'),
    exemptionCount: callsOf('undecided'),
    exemptionExamples: examplesOf('undecided'),
    details:
      caused.length === 0
        ? []
        : [
            {
              description: 'propagation-check explain CAUSE says what to change.',
              header: 'Causes',
              columns: [
                { key: 'cause', label: 'Cause' },
                { key: 'verdict', label: 'Verdict' },
                { key: 'calls', label: 'Calls' },
              ],
              rows: caused.map(({ cause, verdict, calls }) => ({ cause, verdict, calls })),
            },
          ],
  };
}

function sum(metrics: readonly Metric[], field: 'passCount' | 'failureCount'): number {
  return metrics.reduce((total, metric) => total + metric[field], 0);
}
