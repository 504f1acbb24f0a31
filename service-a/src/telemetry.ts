/**
 * Starts OpenTelemetry. `node --import` loads it before the service, because the instrumentations have to be in
 * place before `http` and Fastify are used.
 */
import type { IncomingMessage } from 'node:http';
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { type Attributes, type DiagLogger, DiagLogLevel, diag, SpanStatusCode } from '@opentelemetry/api';
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
import { diagLogLevelFromString, setGlobalErrorHandler } from '@opentelemetry/core';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { explainBadHead } from './call-b.ts';
import { notePeerAddress } from './caller.ts';
import { exitOnConfigError, readConfigOrExit, readPropagators } from './config.ts';
import { createPropagator } from './create-propagator.ts';
import { startExport } from './export-spans.ts';
import { type Fault, faults } from './fault.ts';
import { CallerLinkProcessor } from './link-caller.ts';
import { LogSpanProcessor } from './log-spans.ts';
import { readPath, redacted } from './redact.ts';

/** What this service wants where the user has not set the standard variable. */
const defaults: Readonly<Record<string, string>> = {
  OTEL_SERVICE_NAME: 'service-a',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  // Others ask the metadata addresses of five clouds; `host` warns where a container has no machine id.
  OTEL_NODE_RESOURCE_DETECTORS: 'env,os,process',
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
};

export const config = readConfigOrExit(process.env);
const fault: Fault = config.fault === null ? {} : faults[config.fault];

for (const [name, value] of Object.entries(defaults)) process.env[name] ||= value;
Object.assign(process.env, fault.environment);

export const spanExport =
  config.spanExport === null ? null : await startExport(config.spanExport, config).catch(exitOnConfigError);

/** Not yet shut down: whoever stops the service does that, after the last request. */
export const sdk = new NodeSDK({
  // Not before the fault has had its way with the environment.
  textMapPropagator: createPropagator(readPropagators(process.env), config.trustIncoming),
  spanProcessors: [
    new CallerLinkProcessor(),
    ...(spanExport === null ? [] : [spanExport.processor]),
    ...(config.logSpans ? [new LogSpanProcessor((line) => process.stdout.write(line))] : []),
  ],
  instrumentations: config.propagation === 'auto' ? createInstrumentations() : [],
});

// After `new NodeSDK`, which would put a logger of its own in this place.
diag.setLogger(createDiagLogger(), {
  logLevel: diagLogLevelFromString(process.env.OTEL_LOG_LEVEL) ?? DiagLogLevel.WARN,
  suppressOverrideMessage: true,
});
setGlobalErrorHandler((error) =>
  diag.error(`OpenTelemetry failed, spans may be lost: ${describeError(error)}`),
);

sdk.start();

function createInstrumentations() {
  return [
    getNodeAutoInstrumentations({
      '@opentelemetry/instrumentation-http': {
        ignoreIncomingRequestHook: (request) =>
          request.url?.split('?', 1)[0] === '/healthz' || request.socket.localPort === config.metricsPort,
        // Called right before the headers are read.
        startIncomingSpanHook: (request) => {
          notePeerAddress(request);
          return redactRequest(request);
        },
      },
      // `fetch` is undici. Its CLIENT span is still open when the head of the answer has arrived.
      '@opentelemetry/instrumentation-undici': {
        ...(fault.instrumentClient === false ? { enabled: false } : {}),
        responseHook: (span, { response }) => {
          const message = explainBadHead(response.statusCode, findHeader(response.headers, 'content-type'));
          if (message !== null) span.setStatus({ code: SpanStatusCode.ERROR, message });
        },
      },
    }),
    // Gives the SERVER span its route. Hooks get no spans of their own: the trace stays readable.
    new FastifyOtelInstrumentation({
      registerOnInitialization: true,
      instrumentHooks: false,
      requestHook: (span, request) => span.setAttribute('url.path', readPath(request.url)),
    }),
  ];
}

/** undici's raw headers: name, value, name, value. */
function findHeader(headers: readonly Buffer[], name: string): string | null {
  const index = headers.findIndex((header, at) => at % 2 === 0 && header.toString().toLowerCase() === name);
  return index === -1 ? null : (headers[index + 1]?.toString() ?? null);
}

/** What the instrumentation would take from the request as it came: its query, and whatever addresses it claims. */
function redactRequest({ url, socket, headers }: IncomingMessage): Attributes {
  const host = URL.parse(`http://${headers.host ?? ''}`);
  return {
    'client.address': socket.remoteAddress,
    // Whom the caller asked for; what was forwarded, anybody can say.
    'server.address': host?.hostname,
    'server.port': host?.port ? Number(host.port) : socket.localPort,
    ...(url?.includes('?') ? { 'url.query': redacted } : {}),
  };
}

/** OpenTelemetry's own messages as JSON lines with pino's level numbers, on stderr. */
function createDiagLogger(): DiagLogger {
  const writeAs =
    (level: number) =>
    (...message: readonly unknown[]): void => {
      process.stderr.write(`${JSON.stringify({ level, time: Date.now(), msg: message.join(' ') })}\n`);
    };
  return {
    verbose: writeAs(10),
    debug: writeAs(20),
    info: writeAs(30),
    warn: writeAs(40),
    error: writeAs(50),
  };
}

/** Where several addresses were tried, the error has no message, only a code. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
