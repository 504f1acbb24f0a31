import { context, SpanKind, type TextMapPropagator, type Tracer, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

export const spansPerCall = 3;

/** Two services with an SDK: web calls orders. Web exports over gRPC, orders over HTTP. */
export interface Traffic {
  /** @param isBroken The call loses its header. */
  call(isBroken?: boolean): void;
  /** Exports all ended spans. */
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

export function startTraffic(url: string): Traffic {
  const web = startService('web', new GrpcExporter({ url }));
  const orders = startService('orders', new HttpExporter({ url: `${url}/v1/traces` }));
  const propagator: TextMapPropagator = new W3CTraceContextPropagator();
  const both = [web, orders];
  return {
    call: (isBroken = false) => {
      const request = web.tracer.startSpan('GET /', {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': 'GET', 'url.path': '/' },
      });
      const call = web.tracer.startSpan(
        'GET',
        {
          kind: SpanKind.CLIENT,
          attributes: { 'http.request.method': 'GET', 'url.full': 'http://orders:8080/work' },
        },
        trace.setSpan(context.active(), request),
      );
      const headers: Record<string, string> = {};
      const carried = { get: (from: typeof headers, key: string) => from[key], keys: Object.keys };
      if (!isBroken) {
        propagator.inject(trace.setSpan(context.active(), call), headers, {
          set: (to, key, value) => {
            to[key] = value;
          },
        });
      }
      const work = orders.tracer.startSpan(
        'GET /work',
        { kind: SpanKind.SERVER, attributes: { 'http.request.method': 'GET', 'url.path': '/work' } },
        propagator.extract(context.active(), headers, carried),
      );
      for (const span of [work, call, request]) span.end();
    },
    flush: async () => void (await Promise.all(both.map(({ provider }) => provider.forceFlush()))),
    shutdown: async () => void (await Promise.all(both.map(({ provider }) => provider.shutdown()))),
  };
}

function startService(
  name: string,
  exporter: GrpcExporter | HttpExporter,
): { readonly provider: TracerProvider; readonly tracer: Tracer } {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': name }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  return { provider, tracer: provider.getTracer('calls') };
}
