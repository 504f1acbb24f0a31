import fastify, { type FastifyRequest } from 'fastify';

/** Serves one route on a free port, with Fastify's own request log. */
export async function listen(
  route: string,
  handler: (request: FastifyRequest) => Promise<unknown>,
): Promise<void> {
  const app = fastify({ logger: { level: process.env.LOG_LEVEL ?? 'info' } });
  app.get(route, handler);
  await app.listen({ host: '127.0.0.1', port: 0 });
}
