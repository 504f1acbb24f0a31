import { parseTrust } from 'otel-trust-boundary';
import { type Environment, readServiceConfig, type ServiceConfig } from 'service-kit/config';

export type Config = ServiceConfig;

/** @throws {ConfigError} for the first invalid environment variable. */
export function readConfig(env: Environment): Config {
  // This machine, because by default service B runs beside its caller.
  const trustIncoming = parseTrust('127.0.0.0/8,::1');
  return readServiceConfig(env, { name: 'service-b', port: 8082, trustIncoming });
}
