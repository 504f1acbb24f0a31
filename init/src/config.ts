export interface Config {
  /** Has `credentials/<holder>` and `data/<holder>`, each a mounted volume. */
  readonly volumes: string;
  /** The user's own token; empty where there is none. */
  readonly tokenFile: string;
  /** Null: no TLS. */
  readonly certificateLifetimeMillis: number | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const secondsPerDay = 86_400;

/** A variable or a file of the user is not valid. The message names it and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks the variables. An empty one counts as unset.
 * @throws {ConfigError} for the first that is not valid.
 */
export function readConfig(env: Environment): Config {
  return {
    volumes: env.VOLUMES || '/volumes',
    tokenFile: env.OTLP_TOKEN_FILE || '/run/secrets/otlp_token',
    certificateLifetimeMillis: readTls(env) ? readLifetimeMillis(env) : null,
  };
}

/** Compose can tell only set from unset, so there is no `off`. */
function readTls(env: Environment): boolean {
  if (env.TLS && env.TLS !== 'on') {
    throw new ConfigError(`TLS=${JSON.stringify(env.TLS)} is not valid; allowed: on, or unset for no TLS`);
  }
  return env.TLS === 'on';
}

function readLifetimeMillis(env: Environment): number {
  const name = 'CERTIFICATE_LIFETIME_SECONDS';
  const value = env[name] || String(secondsPerDay);
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(seconds >= 1 && seconds <= 90 * secondsPerDay)) {
    throw new ConfigError(
      `${name}=${JSON.stringify(value)} is not valid; allowed: an integer from 1 to ${90 * secondsPerDay}`,
    );
  }
  return seconds * 1000;
}
