import type { ServiceConfig } from './config.ts';
import { createLimitOptions } from './limits.ts';
import { createLogOptions } from './log.ts';

/** Fastify's options for limits and log. @param answerMillis How long an answer may be in the making. */
export function createServerOptions(
  { limits, logLevel }: Pick<ServiceConfig, 'limits' | 'logLevel'>,
  answerMillis: number,
) {
  return { ...createLimitOptions(limits, answerMillis), ...createLogOptions(logLevel) };
}
