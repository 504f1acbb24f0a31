/** For `telemetry.ts`. */
export { logDiagnostics } from './diagnostics.ts';
export { HeaderProcessor, recordedHeaders } from './headers.ts';
export { createHttpHooks } from './incoming-request.ts';
export { logSpans } from './log-spans.ts';
export { nowhere } from './nowhere.ts';
export { prepare } from './prepare.ts';
