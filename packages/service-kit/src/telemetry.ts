/** For `telemetry.ts`. */
export { serveCounters } from './counters.ts';
export { logDiagnostics } from './diagnostics.ts';
export { HeaderRedactor, recordedHeaders } from './headers.ts';
export { createIgnoreHook, redactRequest } from './incoming-request.ts';
export { LogSpanProcessor } from './log-spans.ts';

/** Variables that the user has not set. */
export function setUnset(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) process.env[name] ||= value;
}
