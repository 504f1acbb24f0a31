/** The page: traces its load, and sends requests to the API according to its settings, each in its own trace. */
import { ZoneContextManager } from '@opentelemetry/context-zone';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { DocumentLoadInstrumentation } from '@opentelemetry/instrumentation-document-load';
import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch';
import { XMLHttpRequestInstrumentation } from '@opentelemetry/instrumentation-xml-http-request';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

const { api, otlp, cors, how, requests } = window.settings;
const provider = new WebTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop-web' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlp}/v1/traces` }))],
});
provider.register({ contextManager: new ZoneContextManager() });
const options = {
  ignoreUrls: [/\/v1\/traces$/],
  // Without this option the header is sent only to the page's own origin.
  ...(cors ? { propagateTraceHeaderCorsUrls: [new RegExp(api)] } : {}),
};
registerInstrumentations({
  instrumentations: [
    new DocumentLoadInstrumentation(),
    new FetchInstrumentation(options),
    new XMLHttpRequestInstrumentation(options),
  ],
});

const ask = {
  fetch: async (url) => await (await fetch(url, { headers: { 'x-shop': '1' } })).text(),
  xhr: (url) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('GET', url);
      request.setRequestHeader('x-shop', '1');
      request.onload = () => resolve(request.responseText);
      request.onerror = () => reject(new Error('refused'));
      request.send();
    }),
};

window.shop = async () => {
  for (let at = 0; at < requests; at += 1) {
    // The capture continues after a request that the browser refuses.
    await ask[how](`${api}/items/${at}`).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 40));
  }
  // Spans of resources end a little later.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await provider.forceFlush();
};
