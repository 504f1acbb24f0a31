import { accessSync, constants } from 'node:fs';
import type { CollectorAccess } from './collector-access.ts';
import { type Fault, type FaultName, faultNames, faults } from './fault.ts';
import type { Limits } from './limits.ts';
import type { TlsFiles } from './tls.ts';
import { parseNetwork, type Trust } from './trust.ts';

export interface Config {
  /** Address to listen on. */
  readonly host: string;
  /** TCP port to listen on; 0 takes any free one. */
  readonly port: number;
  /** Who propagates: the instrumentations (`auto`) or code in this service (`manual`). */
  readonly propagation: Propagation;
  /** Null: callers need no certificate, and what they say is not encrypted. */
  readonly tls: TlsFiles | null;
  readonly fault: FaultName | null;
  /** Whose trace context is continued. */
  readonly trustIncoming: Trust;
  /** Whether each finished span is printed to stdout. */
  readonly logSpans: boolean;
  readonly logLevel: (typeof logLevels)[number];
  readonly limits: Limits;
  /** Null where spans are not exported. */
  readonly spanExport: SpanExport | null;
  /** TCP port of the service's own counters; null for none. */
  readonly metricsPort: number | null;
}

export type Propagation = (typeof propagations)[number];

/** The header formats that a service reads and writes. */
export type PropagatorName = (typeof propagatorNames)[number];

/** The first four: OpenTelemetry specification, "Batch Span Processor" environment variables. Times in milliseconds. */
export interface SpanExport {
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  /** Memory for spans that the receiver has not taken, in bytes. */
  readonly backlogBytes: number;
  /** Folder for spans that are undelivered when the service stops; null for none. */
  readonly spoolDirectory: string | null;
  /** What that folder may hold, in bytes. */
  readonly spoolBytes: number;
  readonly access: CollectorAccess;
}

const propagations = ['auto', 'manual'] as const;
const propagatorNames = ['tracecontext', 'baggage', 'b3', 'b3multi'] as const;
const booleans = ['false', 'true'] as const;
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const tracesExporters = ['otlp', 'none'] as const;
const otlpProtocols = ['http/json'] as const;

/** This machine: where nobody says who calls it, service B stands beside its caller. */
const loopback: Trust = [
  { family: 'ipv4', address: '127.0.0.0', prefix: 8 },
  { family: 'ipv6', address: '::1', prefix: 128 },
];

type Environment = Readonly<Record<string, string | undefined>>;

/** A variable has a value that is not allowed. The message names the variable, the value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks the variables of this service and those of OpenTelemetry that the service itself interprets.
 * An empty variable counts as unset, as OpenTelemetry has it.
 * @throws {ConfigError} for the first variable that is not valid.
 */
export function readConfig(env: Environment): Config {
  const tracesExporter = readChoice(env, 'OTEL_TRACES_EXPORTER', tracesExporters, 'otlp');
  readChoice(env, 'OTEL_EXPORTER_OTLP_PROTOCOL', otlpProtocols, 'http/json');
  readChoice(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', otlpProtocols, 'http/json');
  checkUrl(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  checkUrl(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  readPropagators(env);
  const propagation = readChoice(env, 'PROPAGATION', propagations, 'auto');
  return {
    host: env.HOST || '127.0.0.1',
    port: readInteger(env, 'PORT', { min: 0, max: 65_535, unset: 8082 }),
    tls: readTls(env),
    propagation,
    fault: readFault(env, propagation),
    trustIncoming: readTrust(env, loopback),
    logSpans: readChoice(env, 'LOG_SPANS', booleans, 'false') === 'true',
    logLevel: readChoice(env, 'LOG_LEVEL', logLevels, 'info'),
    limits: readLimits(env),
    spanExport: tracesExporter === 'none' ? null : readSpanExport(env),
    metricsPort: env.METRICS_PORT
      ? readInteger(env, 'METRICS_PORT', { min: 1, max: 65_535, unset: 0 })
      : null,
  };
}

/** As `readConfig`, but a value that is not allowed ends the process. */
export function readConfigOrExit(env: Environment): Config {
  try {
    return readConfig(env);
  } catch (error) {
    return exitOnConfigError(error);
  }
}

/** One line on stderr and exit code 2; any other error is thrown again. */
export function exitOnConfigError(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`service-b: ${error.message}\n`);
  process.exit(2);
}

/**
 * `OTEL_PROPAGATORS`, of which `none` means none. The service makes its propagators itself, to put its boundary around them.
 * @throws {ConfigError} when a name is not known.
 */
export function readPropagators(env: Environment): readonly PropagatorName[] {
  const value = env.OTEL_PROPAGATORS;
  if (!value) return ['tracecontext', 'baggage'];
  const names = [...new Set(value.split(',').map((name) => name.trim()))];
  const known = names.flatMap((name) => propagatorNames.find((candidate) => candidate === name) ?? []);
  const hasNone = names.includes('none');
  if (names.length > known.length + (hasNone ? 1 : 0)) {
    const allowed = `${[...propagatorNames, 'none'].join(', ')}, separated by commas`;
    throw invalid('OTEL_PROPAGATORS', value, allowed);
  }
  return hasNone ? [] : known;
}

function readTrust(env: Environment, unset: Trust): Trust {
  const name = 'TRUST_INCOMING';
  const value = env[name];
  if (!value) return unset;
  if (value === 'never' || value === 'always') return value;
  return value.split(',').map((part) => {
    const network = parseNetwork(part.trim());
    if (network === null)
      throw invalid(name, value, 'never, always, or networks such as 10.0.0.0/8,fd00::/8');
    return network;
  });
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

function readSpanExport(env: Environment): SpanExport {
  return {
    scheduledDelayMillis: readInteger(env, 'OTEL_BSP_SCHEDULE_DELAY', { min: 1, unset: 5_000 }),
    exportTimeoutMillis: readInteger(env, 'OTEL_BSP_EXPORT_TIMEOUT', { min: 1, unset: 30_000 }),
    maxQueueSize: readInteger(env, 'OTEL_BSP_MAX_QUEUE_SIZE', { min: 1, unset: 2_048 }),
    maxExportBatchSize: readInteger(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', { min: 1, unset: 512 }),
    backlogBytes: readInteger(env, 'SPAN_BACKLOG_BYTES', { min: 65_536, unset: 32 * 1024 * 1024 }),
    spoolDirectory: env.SPAN_SPOOL_DIR || null,
    spoolBytes: readInteger(env, 'SPAN_SPOOL_BYTES', { min: 65_536, unset: 256 * 1024 * 1024 }),
    access: {
      tokenFile: readPath(env, 'OTLP_TOKEN_FILE'),
      authorityFile: readOtlpPath(env, 'CERTIFICATE'),
      certificateFile: readOtlpPath(env, 'CLIENT_CERTIFICATE'),
      keyFile: readOtlpPath(env, 'CLIENT_KEY'),
    },
  };
}

/** Source: OpenTelemetry specification, "OTLP Exporter Configuration": what is said of traces comes first. */
function readOtlpPath(env: Environment, what: string): string | null {
  return readPath(env, `OTEL_EXPORTER_OTLP_TRACES_${what}`) ?? readPath(env, `OTEL_EXPORTER_OTLP_${what}`);
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

function readInteger(
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

/** A fault that breaks nothing would prove nothing. */
function readFault(env: Environment, propagation: Propagation): FaultName | null {
  const name = readChoice(env, 'FAULT', faultNames, null);
  const fault: Fault = name === null ? {} : faults[name];
  if (name !== null && (fault.onlyIn ?? propagation) !== propagation) {
    throw new ConfigError(
      `FAULT=${name} breaks nothing with PROPAGATION=${propagation}; set PROPAGATION=${fault.onlyIn}`,
    );
  }
  return name;
}

/** What is refused is printed, and logs are no place for a password: what stands between a colon and the last "@". */
function hidePassword(value: string): string {
  return value.replace(/:(?!\/\/).*@/s, ':***@');
}

/** JSON quotes the value, so that line breaks and terminal escapes in it stay harmless. */
function invalid(name: string, value: string, allowed: string): ConfigError {
  return new ConfigError(`${name}=${JSON.stringify(value)} is not valid; allowed: ${allowed}`);
}
