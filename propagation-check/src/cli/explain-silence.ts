import { type Source, SourceError } from '../source/source.ts';
import type { DrivenRequest } from './drive-requests.ts';

export interface SilenceQuery {
  readonly source: Source;
  readonly driven: readonly DrivenRequest[];
  /** The services that the requests may have reached. */
  readonly services: readonly string[];
  /** The user named the service. */
  readonly isNamed: boolean;
  readonly signal: AbortSignal;
}

const lookBackMs = 3_600_000;

/** Why nothing arrived of the requests, as far as the source can tell, and how to proceed. */
export async function explainSilence(query: SilenceQuery): Promise<string> {
  const { source, driven, services, isNamed } = query;
  const answered = driven.filter((request) => request.failure === null).length;
  const [example] = driven;
  const arrived = `${answered} requests were answered and no span of them arrived in ${source.name}`;
  const id = example === undefined ? '' : ` (for instance trace ${example.span.traceId})`;
  if (source.name.startsWith('otlp=')) {
    return `${arrived}${id}; let the services export to http://${source.name.slice('otlp='.length)} (OTEL_EXPORTER_OTLP_ENDPOINT)`;
  }
  const known = await findKnownService(query);
  if (known !== null) {
    return (
      `${arrived}${id}, although it holds other traces of ${known} of the last hour: ` +
      'the service or the Collector is late (--wait), or the service does not sample'
    );
  }
  if (services.length > 0) {
    return (
      `${arrived}${id}, nor any of ${services.join(', ')} in the last hour: ` +
      'check that the service exports (OTEL_EXPORTER_OTLP_ENDPOINT), that the Collector forwards, and its service.name'
    );
  }
  return isNamed
    ? `${arrived}${id}`
    : `${arrived}${id}; if the system begins traces of its own at its edge, name the service there with --service NAME, ` +
        'otherwise check that it exports to this source';
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
