import fastify, { type FastifyRequest } from 'fastify';

/** Serves one route on a free port, with Fastify's own request log, and says where, as the demo's services do. */
export async function listen(
  route: string,
  handler: (request: FastifyRequest) => Promise<unknown>,
): Promise<void> {
  const app = fastify({ logger: { level: process.env.LOG_LEVEL ?? 'info' } });
  app.get(route, handler);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: Number(new URL(url).port) })}\n`);
}
