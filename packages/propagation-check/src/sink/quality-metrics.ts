import { type FindingId, findingIds } from '../rules/finding.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
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
  /** `max` and `value` are whole numbers. */
  readonly max: number;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  /** The `key` of a score. */
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

/** Relative to the base URL of Jaeger's UI, where a proxy forwards this path to the sink. */
export const qualityPath = 'api/quality-metrics';
const linkTo = (finding: string): string => `${qualityPath}?finding=${finding}`;
/** The page that lists all findings. */
export const allFindings = 'README';
const whole = 100;
/** Limits the answer: a service may have any number of neighbours. */
const mostMetrics = 200;

const categories = [
  { key: 'received', label: 'Calls received with their context', side: 'server' },
  { key: 'made', label: 'Calls made with their context', side: 'client' },
] as const;

/** The share of intact calls of a service, for each edge and in total, with example traces. Undecided calls are left out. */
export function renderQualityMetrics(service: string, counts: readonly EdgeCount[]): QualityMetrics {
  const metrics = categories
    .flatMap(({ key, side }) =>
      groupBy(
        counts.filter((count) => count[side] === service && isNamedOnce(count, side)),
        ({ client, server }) => keyFor(client, server),
      ).map((edge) => toMetric(edge, key)),
    )
    .filter(({ passCount, failureCount }) => passCount + failureCount > 0)
    .sort((one, other) => other.failureCount - one.failureCount || other.passCount - one.passCount);
  const scores = categories.flatMap(({ key, label }) => {
    const own = metrics.filter(({ category }) => category === key);
    const [passed, failed] = [sum(own, 'passCount'), sum(own, 'failureCount')];
    // Rounded down: 100 means that no call is broken.
    return passed + failed === 0
      ? []
      : [{ key, label, max: whole, value: Math.floor((passed / (passed + failed)) * whole) }];
  });
  return {
    traceQualityDocumentationLink: linkTo(allFindings),
    ...(metrics.length === 0
      ? { bannerText: { value: `No call of ${service} was judged yet.`, styling: {} } }
      : {}),
    scores,
    metrics: metrics.slice(0, mostMetrics),
  };
}

/** Whether the name of the metric is unique, because the page uses it as a key. Calls of a service to itself appear once, as received calls. */
function isNamedOnce({ client, server }: EdgeCount, side: 'client' | 'server'): boolean {
  return side === 'server' || client !== server;
}

/** The most frequent finding; broken calls take precedence. */
function findMain(counts: readonly EdgeCount[]): FindingId | null {
  const [main] = [...counts].sort(
    (one, other) =>
      Number(other.verdict === 'broken') - Number(one.verdict === 'broken') || other.calls - one.calls,
  );
  return findingIds.find((id) => id === main?.cause) ?? null;
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
    metricDocumentationLink: linkTo(findMain(caused) ?? allFindings),
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
