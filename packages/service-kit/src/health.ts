import type { FastifyInstance } from 'fastify';

/** Nobody is refused there, and nothing is logged or traced. */
export const healthPath = '/healthz';

export function addHealth(app: FastifyInstance): void {
  app.get(healthPath, () => ({ status: 'ok' }));
}
