/** A service that calls whom it is told to call, and lists its SERVER spans. */
import { SpanKind } from '@opentelemetry/api';
import fastify from 'fastify';
import { boundary, exporter } from './telemetry.ts';

const app = fastify();
await app.register(boundary.fastify);
app.post<{ Body: readonly string[] }>('/call', async (request) => {
  for (const url of request.body) await (await fetch(url)).text();
});
app.get('/spans', async () =>
  exporter
    .getFinishedSpans()
    .filter(({ kind }) => kind === SpanKind.SERVER)
    .map((span) => ({ ...span.spanContext(), parent: span.parentSpanContext?.spanId, links: span.links })),
);
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
