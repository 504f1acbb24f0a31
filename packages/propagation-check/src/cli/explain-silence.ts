import { type Source, SourceError } from '../source/source.ts';
import { listNames } from '../util/list-names.ts';
import { describeStatus } from './count-requests.ts';
import type { DrivenRequest } from './drive-requests.ts';
import { listKnownServices, suggestServices } from './suggest-services.ts';

export interface SilenceQuery {
  readonly source: Source;
  readonly driven: readonly DrivenRequest[];
  /** The services that the requests may have reached. */
  readonly services: readonly string[];
  /** Whether the user named the service. */
  readonly isNamed: boolean;
  /** Whether the source is a receiver on a free port, which is another port in the next run. */
  readonly isPortFree: boolean;
  readonly signal: AbortSignal;
}

const lookBackMs = 3_600_000;
const mostTraces = 1_000;

/** Explains why no span of the requests arrived, as far as the source shows, and what to do. */
export async function explainSilence(query: SilenceQuery): Promise<string> {
  const { source, driven, services, isNamed, isPortFree } = query;
  const [example] = driven;
  const arrived = `${describeArrivals(driven)} arrived in ${source.name}`;
  const id = example === undefined ? '' : ` (for instance trace ${example.span.traceId})`;
  const others = await findServices(query);
  const named = isNamed ? services : [];
  if (others.length > 0) {
    return `${arrived}${id}, but spans of ${listNames(others)} did, in traces that fit no request of ours; ${adviseByOthers(named, others)}`;
  }
  if (source.url !== undefined) {
    const { complaints = [] } = source;
    const advice = isPortFree
      ? 'choose a port that is the same next time (--source otlp=4318), and set in the services OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318'
      : `set in the services OTEL_EXPORTER_OTLP_ENDPOINT=${source.url}, which takes gRPC and HTTP`;
    return `${arrived}${id}; ${[...complaints, advice].join('; ')}`;
  }
  const known = await findKnownService(query);
  if (known !== null) {
    return (
      `${arrived}${id}, although it holds other traces of ${known} of the last hour: ` +
      'the service or the Collector is late (--wait), or the service does not sample'
    );
  }
  if (services.length > 0) {
    const misspelt = suggestServices(services, await listKnownServices(source, query.signal));
    return (
      `${arrived}${id}, nor any of ${listNames(services)} in the last hour: ` +
      misspelt.map((suggestion) => `${suggestion} Otherwise `).join('') +
      'check that the service exports (OTEL_EXPORTER_OTLP_ENDPOINT), that the Collector forwards, and its service.name'
    );
  }
  return isNamed
    ? `${arrived}${id}`
    : `${arrived}${id}; if the system begins traces of its own at its edge, name the service there with --service NAME, ` +
        'otherwise check that it exports to this source';
}

/** @param others The services whose spans arrived. */
function adviseByOthers(named: readonly string[], others: readonly string[]): string {
  const misspelt = suggestServices(named, others);
  if (misspelt.length > 0) return `--service: ${misspelt.join('; ')}`;
  const absent = named.filter((service) => !others.includes(service));
  const advice =
    named.length === 0
      ? 'name the service that was called with --service NAME'
      : absent.length > 0
        ? `no span of ${listNames(absent)} is here: check the name (service.name) and where the service exports`
        : 'the process that took the requests probably has no OpenTelemetry SDK, or exports elsewhere (OTEL_EXPORTER_OTLP_ENDPOINT)';
  return `${advice}, and give slow exporters time with --wait`;
}

/** Begins the sentence. A note on failed requests stands before it and has their number. */
function describeArrivals(driven: readonly DrivenRequest[]): string {
  const { length } = driven;
  if (driven.some(({ failure, status }) => failure !== null || describeStatus(status) !== null))
    return length === 1 ? 'no span of it' : `no span of the ${length} requests`;
  return length === 1
    ? '1 request was answered and no span of it'
    : `${length} requests were answered and no span of them`;
}

/** The services of all spans that a source in memory has received lately; empty for other sources. */
async function findServices({ source, signal }: SilenceQuery): Promise<readonly string[]> {
  if (source.isInMemory !== true) return [];
  const now = Date.now();
  const query = { service: null, startTimeMin: now - lookBackMs, startTimeMax: now, limit: mostTraces };
  const names = new Set((await source.searchTraces(query, signal)).map((span) => span.serviceName));
  return [...names].filter((name) => name !== null);
}

async function findKnownService({ source, services, signal }: SilenceQuery): Promise<string | null> {
  const now = Date.now();
  for (const service of services) {
    try {
      const query = { service, startTimeMin: now - lookBackMs, startTimeMax: now, limit: 1 };
      if ((await source.searchTraces(query, signal)).length > 0) return service;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SourceError)) throw error;
    }
  }
  return null;
}
