import { subscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';

/** Calls `change` with the service's Fastify instance as soon as it is made. */
export function changeFastify(change: (app: FastifyInstance) => void): void {
  subscribe('fastify.initialization', (message) => {
    if (holdsFastify(message)) change(message.fastify);
  });
}

/** Source: Fastify, "Diagnostics Channel". */
function holdsFastify(message: unknown): message is { readonly fastify: FastifyInstance } {
  return typeof message === 'object' && message !== null && 'fastify' in message;
}
