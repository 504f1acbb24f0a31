import { parseTrust } from 'otel-trust-boundary';
import { type Environment, readServiceConfig, type ServiceConfig } from 'service-kit/config';

export type Config = ServiceConfig;

/** @throws {ConfigError} for the first variable that is not valid. */
export function readConfig(env: Environment): Config {
  // This machine: unless told otherwise, service B stands beside its caller.
  const trustIncoming = parseTrust('127.0.0.0/8,::1');
  return readServiceConfig(env, { name: 'service-b', port: 8082, trustIncoming });
}
