export interface Config {
  /** The folder with `credentials/<holder>` and `data/<holder>`, each a mounted volume. */
  readonly volumes: string;
  /** The file with the user's own token; the file is empty without one. */
  readonly tokenFile: string;
  /** Null without TLS. */
  readonly certificateLifetimeMillis: number | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const secondsPerDay = 86_400;

/** An environment variable or a file of the user is not valid. The message names it and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and validates the environment variables. An empty variable counts as unset.
 * @throws {ConfigError} for the first variable that is not valid.
 */
export function readConfig(env: Environment): Config {
  return {
    volumes: env.VOLUMES || '/volumes',
    tokenFile: env.OTLP_TOKEN_FILE || '/run/secrets/otlp_token',
    certificateLifetimeMillis: readTls(env) ? readLifetimeMillis(env) : null,
  };
}

/** Compose distinguishes only set from unset variables, so there is no `off`. */
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
