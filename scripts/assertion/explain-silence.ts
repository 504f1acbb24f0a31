import { type Source, SourceError, type Span } from 'propagation-check';
import { readReceivedHeader } from './received-header.ts';
import { demoParties } from './roles.ts';
import type { Call, Silence } from './run.ts';

interface SilenceOptions {
  readonly source: Source;
  readonly noMoreSpans?: AbortSignal;
  readonly signal?: AbortSignal;
}

/** How far back to look for other traces of the two services, in milliseconds. */
const lookBackMs = 60 * 60 * 1000;

/**
 * Names the hop that stayed silent; null when spans have arrived, because then the statements decide.
 * @param error the last error of the source; null when it answered
 */
export async function explainSilence(
  call: Call,
  spans: readonly Span[],
  error: SourceError | null,
  options: SilenceOptions,
): Promise<Silence | null> {
  if (error !== null) return silenceOf(options.source, error);
  if (spans.length > 0) return null;
  if (isUnsampled(call)) {
    return {
      hop: 'service A',
      reason:
        'the traceparent has the sampled flag 0, so the trace is not recorded: check OTEL_TRACES_SAMPLER',
    };
  }
  if (options.noMoreSpans !== undefined) {
    return {
      hop: 'service A',
      reason:
        'neither service A nor service B has exported a span of this trace: check OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_ENDPOINT',
    };
  }
  return explainMissingTrace(call, options);
}

/** Jaeger answers and does not have the trace. Other traces of the services show which part of the pipeline works. */
async function explainMissingTrace(call: Call, { source, signal }: SilenceOptions): Promise<Silence> {
  const traceId = call.answer?.service_a_trace_id ?? '';
  try {
    const others = await Promise.all(
      [demoParties.serviceA, demoParties.serviceB].map(({ name }) =>
        source.searchTraces(
          {
            service: name,
            startTimeMin: call.sentAt - lookBackMs,
            startTimeMax: Date.now(),
            limit: 1,
          },
          signal,
        ),
      ),
    );
    if (others.every((found) => found.length === 0)) {
      return {
        hop: 'Collector',
        reason: `${source.name} answers, but no span of either service has reached it in the last hour: the Collector, or the services' way to it, is silent (docker compose logs otel-collector; OTEL_EXPORTER_OTLP_ENDPOINT of the services)`,
      };
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof SourceError)) throw error;
    return silenceOf(source, error);
  }
  return {
    hop: 'Collector',
    reason: `${source.name} answers and holds other traces of these services, but nothing of trace ${traceId} has arrived: the Collector lags or has stopped, or the services did not export it (docker compose logs otel-collector)`,
  };
}

function silenceOf(source: Source, error: SourceError): Silence {
  return { hop: source.name.startsWith('jaeger=') ? 'Jaeger' : 'trace store', reason: error.message };
}

function isUnsampled({ answer }: Call): boolean {
  if (answer === null) return false;
  const header = readReceivedHeader(answer);
  return header.state === 'valid' && !header.sampled;
}
