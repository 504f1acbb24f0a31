import {
  type Environment,
  readInteger,
  readServiceConfig,
  readServiceUrl,
  type ServiceConfig,
} from 'service-kit/config';

export interface Config extends ServiceConfig {
  readonly serviceBUrl: URL;
  /** How long A waits for B's whole answer. */
  readonly serviceBTimeoutMillis: number;
}

/** @throws {ConfigError} for the first invalid environment variable. */
export function readConfig(env: Environment): Config {
  return {
    ...readServiceConfig(env, { name: 'service-a', port: 8081, trustIncoming: 'never' }),
    serviceBUrl: readServiceUrl(env, 'SERVICE_B_URL', 'http://localhost:8082'),
    serviceBTimeoutMillis: readInteger(env, 'SERVICE_B_TIMEOUT_MS', { min: 1, unset: 2_000 }),
  };
}
