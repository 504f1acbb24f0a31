import { accessSync, constants, mkdirSync } from 'node:fs';
import { BoundaryError, createPropagator, parseTrust, type Trust } from 'otel-trust-boundary';
import type { Limits } from './limits.ts';
import type { TlsFiles } from './tls.ts';

/** The configuration that both services have. */
export interface ServiceConfig {
  readonly name: string;
  /** Address to listen on. */
  readonly host: string;
  /** TCP port to listen on; 0 takes any free one. */
  readonly port: number;
  /** The certificate to show to the other service, and the authority to accept; null for plain HTTP. */
  readonly tls: TlsFiles | null;
  /** Propagation by the instrumentations (`auto`) or by code in the service (`manual`). */
  readonly propagation: (typeof propagations)[number];
  /** The peers whose trace context is continued. */
  readonly trustIncoming: Trust;
  /** Whether each finished span is printed to stdout. */
  readonly logSpans: boolean;
  readonly logLevel: (typeof logLevels)[number];
  readonly limits: Limits;
  /** Whether spans are exported. */
  readonly exportsSpans: boolean;
  readonly otlpProtocol: (typeof otlpProtocols)[number];
  /** For `BatchSpanProcessor`, which reads no variables. Source: OpenTelemetry specification, "Batch Span Processor". */
  readonly batching: {
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
    readonly maxQueueSize: number;
    readonly maxExportBatchSize: number;
  };
  /** For `DurableExporter`: memory for spans that are not delivered yet, and a folder for those left at the stop. */
  readonly keeping: {
    readonly maxBytes: number;
    readonly flushTimeoutMillis: number;
    /** The stop has its own time for delivery before: the shutdown only saves. */
    readonly shutdownTimeoutMillis: 0;
    /** The Collector's name in messages. */
    readonly receiver: string;
    readonly spool?: { readonly directory: string; readonly maxBytes: number };
  };
  /** TCP port of the service's own counters; null for none. */
  readonly metricsPort: number | null;
}

/** The values of a service that differ from those of the other. */
export interface Unset {
  readonly name: string;
  readonly port: number;
  readonly trustIncoming: Trust;
}

const propagations = ['auto', 'manual'] as const;
const booleans = ['false', 'true'] as const;
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const tracesExporters = ['otlp', 'none'] as const;
const otlpProtocols = ['http/json', 'http/protobuf'] as const;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable has a value that is not allowed. The message names the variable, the value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks the variables of both services, and those of OpenTelemetry that would fail late or silently.
 * An empty variable counts as unset, as OpenTelemetry has it.
 * @throws {ConfigError} for the first variable that is not valid.
 */
export function readServiceConfig(env: Environment, unset: Unset): ServiceConfig {
  const tracesExporter = readChoice(env, 'OTEL_TRACES_EXPORTER', tracesExporters, 'otlp');
  const protocol = readChoice(env, 'OTEL_EXPORTER_OTLP_PROTOCOL', otlpProtocols, 'http/json');
  checkUrl(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  checkUrl(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  orConfigError('', () => createPropagator(env.OTEL_PROPAGATORS));
  return {
    name: unset.name,
    host: env.HOST || '127.0.0.1',
    port: readInteger(env, 'PORT', { min: 0, max: 65_535, unset: unset.port }),
    tls: readTls(env),
    propagation: readChoice(env, 'PROPAGATION', propagations, 'auto'),
    trustIncoming: readTrust(env, unset.trustIncoming),
    logSpans: readChoice(env, 'LOG_SPANS', booleans, 'false') === 'true',
    logLevel: readChoice(env, 'LOG_LEVEL', logLevels, 'info'),
    limits: readLimits(env),
    exportsSpans: tracesExporter === 'otlp',
    otlpProtocol: readChoice(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', otlpProtocols, protocol),
    batching: readBatching(env),
    keeping: readKeeping(env),
    metricsPort: env.METRICS_PORT
      ? readInteger(env, 'METRICS_PORT', { min: 1, max: 65_535, unset: 0 })
      : null,
  };
}

/** Runs `start`; a `ConfigError` ends the process with one line on stderr and exit code 2. */
export async function orExit<Result>(name: string, start: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(2);
  }
}

function readTrust(env: Environment, unset: Trust): Trust {
  const value = env.TRUST_INCOMING;
  return value ? orConfigError('TRUST_INCOMING=', () => parseTrust(value)) : unset;
}

/** A `BoundaryError` says what is allowed. */
function orConfigError<Result>(prefix: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BoundaryError)) throw error;
    throw new ConfigError(`${prefix}${error.message}`);
  }
}

function readLimits(env: Environment): Limits {
  return {
    maxConnections: readInteger(env, 'MAX_CONNECTIONS', { min: 1, unset: 2_000 }),
    maxRequests: readInteger(env, 'MAX_REQUESTS', { min: 1, unset: 1_000 }),
    maxEventLoopDelayMillis: readInteger(env, 'MAX_EVENT_LOOP_DELAY_MS', { min: 1, unset: 1_000 }),
    requestTimeoutMillis: readInteger(env, 'REQUEST_TIMEOUT_MS', { min: 1, unset: 10_000 }),
  };
}

function readTls(env: Environment): TlsFiles | null {
  const files = {
    authorityFile: readPath(env, 'TLS_AUTHORITY_FILE'),
    certificateFile: readPath(env, 'TLS_CERTIFICATE_FILE'),
    keyFile: readPath(env, 'TLS_KEY_FILE'),
  };
  const { authorityFile, certificateFile, keyFile } = files;
  if (authorityFile !== null && certificateFile !== null && keyFile !== null)
    return { authorityFile, certificateFile, keyFile };
  if (authorityFile === null && certificateFile === null && keyFile === null) return null;
  throw new ConfigError(
    'TLS needs all of TLS_AUTHORITY_FILE, TLS_CERTIFICATE_FILE and TLS_KEY_FILE, and some are missing; set all or none',
  );
}

function readBatching(env: Environment): ServiceConfig['batching'] {
  return {
    scheduledDelayMillis: readInteger(env, 'OTEL_BSP_SCHEDULE_DELAY', { min: 1, unset: 5_000 }),
    exportTimeoutMillis: readInteger(env, 'OTEL_BSP_EXPORT_TIMEOUT', { min: 1, unset: 30_000 }),
    maxQueueSize: readInteger(env, 'OTEL_BSP_MAX_QUEUE_SIZE', { min: 1, unset: 2_048 }),
    maxExportBatchSize: readInteger(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', { min: 1, unset: 512 }),
  };
}

function readKeeping(env: Environment): ServiceConfig['keeping'] {
  // The exporter opens these files later, with each export or connection. A wrong path has to fail at the start.
  for (const name of credentialFiles) readPath(env, name);
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const timeout = readInteger(env, 'OTEL_EXPORTER_OTLP_TIMEOUT', { min: 1, unset: 10_000 });
  const directory = readFolder(env, 'SPAN_SPOOL_DIR');
  const spoolBytes = readInteger(env, 'SPAN_SPOOL_BYTES', { min: 65_536, unset: 256 * 1024 * 1024 });
  return {
    maxBytes: readInteger(env, 'SPAN_BACKLOG_BYTES', { min: 65_536, unset: 32 * 1024 * 1024 }),
    flushTimeoutMillis: readInteger(env, 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', { min: 1, unset: timeout }),
    shutdownTimeoutMillis: 0,
    receiver: URL.parse(endpoint ?? '')?.origin ?? 'the Collector',
    ...(directory === null ? {} : { spool: { directory, maxBytes: spoolBytes } }),
  };
}

const credentialFiles = [
  'OTLP_TOKEN_FILE',
  ...['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'].flatMap((file) => [
    `OTEL_EXPORTER_OTLP_TRACES_${file}`,
    `OTEL_EXPORTER_OTLP_${file}`,
  ]),
];

function readFolder(env: Environment, name: string): string | null {
  const value = env[name];
  if (!value) return null;
  try {
    mkdirSync(value, { recursive: true });
    accessSync(value, constants.W_OK);
  } catch {
    throw invalid(name, value, 'a folder to which this service can write');
  }
  return value;
}

function readPath(env: Environment, name: string): string | null {
  const value = env[name];
  if (!value) return null;
  try {
    accessSync(value, constants.R_OK);
  } catch {
    throw invalid(name, value, 'the path of a file that this service can read');
  }
  return value;
}

function readChoice<Choice extends string, Unset>(
  env: Environment,
  name: string,
  choices: readonly Choice[],
  unset: Unset,
): Choice | Unset {
  const value = env[name];
  if (!value) return unset;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw invalid(name, value, choices.join(', '));
  return choice;
}

export function readInteger(
  env: Environment,
  name: string,
  range: { readonly min: number; readonly max?: number; readonly unset: number },
): number {
  const value = env[name];
  if (!value) return range.unset;
  // The longest delay that a Node timer can take.
  const max = range.max ?? 2 ** 31 - 1;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= range.min && number <= max)) {
    throw invalid(name, value, `an integer from ${range.min} to ${max}`);
  }
  return number;
}

function checkUrl(env: Environment, name: string): void {
  const value = env[name];
  if (!value) return;
  const url = URL.parse(value);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw invalid(name, hidePassword(value), 'an http:// or https:// URL');
}

/** The base URL of another service. */
export function readServiceUrl(env: Environment, name: string, unset: string): URL {
  const value = env[name] || unset;
  const url = URL.parse(value);
  const isPlain = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === null || !isPlain || url.username || url.password || url.search || url.hash) {
    throw invalid(
      name,
      hidePassword(value),
      'an http:// or https:// URL without credentials, query and fragment',
    );
  }
  return url;
}

/** A refused value is printed. The part between the first colon and the last "@" may be a password. */
function hidePassword(value: string): string {
  return value.replace(/:(?!\/\/).*@/s, ':***@');
}

/** JSON quotes the value, so that line breaks and terminal escapes in it stay harmless. */
function invalid(name: string, value: string, allowed: string): ConfigError {
  return new ConfigError(`${name}=${JSON.stringify(value)} is not valid; allowed: ${allowed}`);
}
