/** The API, with the http instrumentation. Its settings say which headers it allows from other origins. */
import { createRequire } from 'node:module';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [new HttpInstrumentation()],
});
sdk.start();
const { createServer } = createRequire(import.meta.url)('node:http');
const server = createServer((request, response) => {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', process.env.ALLOWED_HEADERS);
  if (request.method === 'OPTIONS') return response.writeHead(204).end();
  setTimeout(() => response.end('item'), 5 + Math.random() * 20);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGINT', () => {
  server.close();
  server.closeAllConnections();
  sdk.shutdown().finally(() => process.exit());
});
