/**
 * Records captures of a page in Chromium with the OpenTelemetry web SDK. Needs `npm install --legacy-peer-deps` here, and Chromium
 * (Debian: `apt-get install chromium`). CHROMIUM overrides the path /usr/bin/chromium.
 */
import { createServer } from 'node:http';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { broken, freePort, healthy, recordCapture, start } from '../record-capture.mjs';

const path = ['shop-web', 'shop-api'];
const requests = 14;
const allowed = 'traceparent, tracestate, x-shop';
const symptoms = ['split-trace'];

const cases = [
  { name: 'web-fetch-cors', how: 'fetch', cors: true, label: healthy(path) },
  { name: 'web-fetch-cors-urls-missing', how: 'fetch', cors: false },
  { name: 'web-xhr-cors', how: 'xhr', cors: true, label: healthy(path) },
  { name: 'web-xhr-cors-urls-missing', how: 'xhr', cors: false },
  { name: 'web-fetch-same-origin', how: 'fetch', cors: false, isSameOrigin: true, label: healthy(path) },
  { name: 'web-fetch-proxy-strips', how: 'fetch', cors: false, isSameOrigin: true, isStripped: true, truth: 'header-stripped' },
  { name: 'web-fetch-clock-ahead', how: 'fetch', cors: true, skewMs: 45_000, label: healthy(path) },
  { name: 'web-fetch-clock-ahead-urls-missing', how: 'fetch', cors: false, skewMs: 45_000 },
  // The browser refuses the request after the preflight, so it is never sent.
  { name: 'web-fetch-preflight-refused', how: 'fetch', cors: true, allowed: 'x-shop', label: healthy([]) },
];

const { outputFiles } = await build({
  entryPoints: [`${import.meta.dirname}/page.mjs`],
  bundle: true,
  write: false,
  format: 'iife',
  minify: true,
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const only = process.argv.slice(2);
for (const made of cases.filter(({ name }) => only.length === 0 || only.includes(name))) {
  const { name, how, cors, isSameOrigin = false, isStripped = false, skewMs = 0, truth = 'header-not-sent' } = made;
  await recordCapture({
    name,
    system: `Chromium ${browser.version()}, @opentelemetry/sdk-trace-web 2.12.0, instrumentation-document-load 0.68.0, ${how === 'xhr' ? 'instrumentation-xml-http-request' : 'instrumentation-fetch'} 0.223.0; Node, instrumentation-http 0.223.0${skewMs > 0 ? '; the browser is 45 s ahead' : ''}`,
    label: made.label ?? broken(path, truth, requests, symptoms),
    async drive(url) {
      const [apiPort, pagePort] = [await freePort(), await freePort()];
      const api = await start(process.execPath, ['api.mjs'], apiPort, {
        cwd: import.meta.dirname,
        env: {
          ...process.env,
          PORT: apiPort,
          ALLOWED_HEADERS: made.allowed ?? allowed,
          OTEL_SERVICE_NAME: 'shop-api',
          OTEL_EXPORTER_OTLP_ENDPOINT: url,
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
          OTEL_NODE_RESOURCE_DETECTORS: 'env',
        },
      });
      const origin = `http://127.0.0.1:${pagePort}`;
      const settings = {
        api: isSameOrigin ? origin : `http://127.0.0.1:${apiPort}`,
        otlp: origin,
        cors,
        how,
        requests,
      };
      const site = await serveSite(pagePort, settings, { otlp: url, apiPort, isStripped });
      const page = await browser.newPage();
      if (skewMs > 0) await page.addInitScript(skewClock, skewMs);
      await page.goto(origin);
      await page.evaluate(() => window.shop());
      await page.close();
      site.close();
      site.closeAllConnections();
      await api.stop();
    },
  });
}
await browser.close();

/** Skews the clock that the page reads, from the page's first line on. */
function skewClock(by) {
  const { now } = Date;
  Date.now = () => now() + by;
  const origin = performance.timeOrigin + by;
  Object.defineProperty(performance, 'timeOrigin', { get: () => origin });
}

/** Serves the page, and at the same origin the Collector and, if a case needs it, the API. */
async function serveSite(port, settings, { otlp, apiPort, isStripped }) {
  const site = createServer(async (request, response) => {
    const isExport = request.url === '/v1/traces';
    if (!isExport && !request.url.startsWith('/items/')) {
      response.setHeader('content-type', 'text/html');
      response.end(
        request.url === '/'
          ? `<script>window.settings=${JSON.stringify(settings)}</script><script src="/page.js"></script>`
          : outputFiles[0].text,
      );
      return;
    }
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    if (isStripped) delete headers.traceparent;
    const answer = await fetch(isExport ? `${otlp}/v1/traces` : `http://127.0.0.1:${apiPort}${request.url}`, {
      method: request.method,
      headers,
      ...(isExport ? { body: Buffer.concat(await Array.fromAsync(request)) } : {}),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => site.listen(port, '127.0.0.1', resolve));
  return site;
}
