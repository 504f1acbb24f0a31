import type { FastifyInstance } from 'fastify';

/** Exempt from limits, log and traces. */
export const healthPath = '/healthz';

export function addHealth(app: FastifyInstance): void {
  app.get(healthPath, () => ({ status: 'ok' }));
}
