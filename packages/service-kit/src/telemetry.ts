/** For `telemetry.ts`. */
export { orExit } from './config.ts';
export { serveCounters } from './counters.ts';
export { logDiagnostics } from './diagnostics.ts';
export { HeaderRedactor, recordedHeaders } from './headers.ts';
export { createIgnoreHook, redactRequest } from './incoming-request.ts';
export { logSpans } from './log-spans.ts';
export { nowhere } from './nowhere.ts';
export { setDefaults } from './set-defaults.ts';
