import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { diagLogLevelFromString, setGlobalErrorHandler } from '@opentelemetry/core';

/** Prints OpenTelemetry's own messages as JSON lines on stderr. Call it after `new NodeSDK`, which sets a logger of its own. */
export function logDiagnostics(): void {
  diag.setLogger(createDiagLogger(), {
    logLevel: diagLogLevelFromString(process.env.OTEL_LOG_LEVEL) ?? DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
  setGlobalErrorHandler((error) =>
    diag.error(`OpenTelemetry failed, spans may be lost: ${describeError(error)}`),
  );
}

/** With pino's level numbers. */
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
