import { setTimeout as delay } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SendTask, Sent } from './send-task.ts';

const spansPerCall = 3;
const services = 20;
const items = 50;
const second = 1_000;
/** Pause between two bursts of calls. */
const pauseMs = 20;
/** No calls are made while this many spans are undelivered. The stock queue of a service holds 2,048. */
const mostPending = 20_000;
const maxQueueSize = mostPending;
const scheduledDelayMillis = 1_000;

/**
 * Services with the SDK, its batch processor and its exporter send spans at a fixed rate. One of the 100 edges is broken: the callee begins a
 * new trace.
 * @throws {Error} when an export has failed after all retries of its exporter: its spans may be lost.
 */
export async function sendBySdk({
  url,
  protocol,
  spans,
  rate,
}: SendTask & { readonly rate: number }): Promise<Sent> {
  let delivered = 0;
  const failure = Promise.withResolvers<never>();
  const pause = () => Promise.race([delay(pauseMs), failure.promise]);
  const onResult = (count: number, { code, error }: ExportResult) => {
    if (code === ExportResultCode.SUCCESS) delivered += count;
    else failure.reject(error ?? new Error('an export failed'));
  };
  const tracers = Array.from({ length: services }, (_, service) =>
    openTracer(`service-${service}`, openExporter(url, protocol), onResult),
  );
  const calls = Math.round(spans / spansPerCall);
  let [intact, broken] = [0, 0];
  const begunAt = performance.now();
  const betweenMs = (spansPerCall / rate) * second;
  let at = Date.now();
  while (intact + broken < calls) {
    const now = Date.now();
    // A sender that was delayed does not catch up, so that the calls of an edge do not overlap and each can be judged.
    at = Math.max(at, now - pauseMs * 2);
    for (; at <= now && intact + broken < calls; at += betweenMs) {
      const made = intact + broken;
      if (made * spansPerCall - delivered >= mostPending) break;
      const [caller, callee] = [
        made % (services / 2),
        services / 2 + (Math.floor(made / (services / 2)) % (services / 2)),
      ];
      const isBroken = caller === 0 && callee === services / 2;
      call(tracers, { caller, callee, isBroken, at, item: made % items });
      if (isBroken) broken += 1;
      else intact += 1;
    }
    await pause();
  }
  while (delivered < calls * spansPerCall) await pause();
  const milliseconds = performance.now() - begunAt;
  // The exporters retry by themselves; the sink counts its refusals.
  return { spans: calls * spansPerCall, intact, broken, refused: 0, milliseconds };
}

type Exporter = GrpcExporter | HttpExporter;

function openExporter(url: string, protocol: SendTask['protocol']): Exporter {
  return protocol === 'grpc' ? new GrpcExporter({ url }) : new HttpExporter({ url: `${url}/v1/traces` });
}

function openTracer(
  name: string,
  exporter: Exporter,
  onResult: (spans: number, result: ExportResult) => void,
): Tracer {
  const countedExporter: SpanExporter = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        onResult(spans.length, result);
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': name, 'service.instance.id': `${name}-0` }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: countedExporter, maxQueueSize, scheduledDelayMillis }),
    ],
  });
  return provider.getTracer('@opentelemetry/instrumentation-http');
}

interface Call {
  readonly caller: number;
  readonly callee: number;
  readonly item: number;
  readonly isBroken: boolean;
  /** When it begins, in milliseconds since the epoch. */
  readonly at: number;
}

function call(tracers: readonly Tracer[], { caller, callee, item, isBroken, at }: Call): void {
  const [from, to] = [tracers[caller], tracers[callee]];
  if (from === undefined || to === undefined) throw new RangeError('there is no such service');
  const receive = (kind: string) => ({
    ...{ 'http.request.method': 'GET', 'url.path': `/${kind}/${item}`, 'http.route': `/${kind}/:id` },
    ...{ 'url.scheme': 'http', 'network.peer.address': '10.0.0.1', 'http.response.status_code': 200 },
  });
  const asked = {
    ...{ 'http.request.method': 'GET', 'url.full': `http://service-${callee}:8080/items/${item}` },
    ...{ 'server.address': `service-${callee}`, 'server.port': 8080, 'http.response.status_code': 200 },
  };
  // Explicit times: with the SDK's own clock a call would take only some microseconds.
  const request = from.startSpan(
    'GET /pages/:id',
    { kind: SpanKind.SERVER, attributes: receive('pages'), startTime: at },
    ROOT_CONTEXT,
  );
  const client = from.startSpan(
    'GET',
    { kind: SpanKind.CLIENT, attributes: asked, startTime: at + 1 },
    trace.setSpan(ROOT_CONTEXT, request),
  );
  const arrived = isBroken
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { ...client.spanContext(), isRemote: true });
  const work = to.startSpan(
    'GET /items/:id',
    { kind: SpanKind.SERVER, attributes: receive('items'), startTime: at + 2 },
    arrived,
  );
  work.end(at + 4);
  client.end(at + 5);
  request.end(at + 6);
}
