/** Stock OpenTelemetry for a small service, with a propagator that each request can break. `node --import` loads it first. */
import {
  type Context,
  createContextKey,
  ROOT_CONTEXT,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';

/** Context key: how the header of a call is broken. */
export const faultKey = createContextKey('fault');

const w3c = new W3CTraceContextPropagator();

const propagator: TextMapPropagator = {
  inject<Carrier>(from: Context, carrier: Carrier, setter: TextMapSetter<Carrier>): void {
    const fault = from.getValue(faultKey);
    if (fault === 'not-sent') return;
    w3c.inject(from, carrier, {
      set: (to, key, value) => {
        if (fault === 'malformed') setter.set(to, key, value.slice(0, -1));
        // Node's header objects take lists, and send one header for each entry.
        else if (fault === 'duplicated') Object.assign(Object(to), { [key]: [value, value] });
        else setter.set(to, key, value);
      },
    });
  },
  extract: (from, carrier, getter) =>
    getter.get(carrier, 'x-fault') === 'ignored' ? ROOT_CONTEXT : w3c.extract(from, carrier, getter),
  fields: () => w3c.fields(),
};

/** Exports on `/flush`. */
export const processor = new BatchSpanProcessor({
  exporter: new OTLPTraceExporter(),
  scheduledDelayMillis: 3_600_000,
});

new NodeSDK({
  textMapPropagator: propagator,
  spanProcessors: [processor],
  instrumentations: getNodeAutoInstrumentations({
    '@opentelemetry/instrumentation-http': { ignoreIncomingRequestHook: ({ url }) => url === '/flush' },
  }),
}).start();
