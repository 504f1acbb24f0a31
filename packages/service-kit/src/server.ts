/** For `app.ts`, `manual.ts` and `server.ts`. It loads Fastify: not before OpenTelemetry has patched `http`. */

export { describeHeaders, recordedHeaders } from './headers.ts';
export { addHealth } from './health.ts';
export { addLimits } from './limits.ts';
export { redactHeader, redactPath } from './redact.ts';
export { serve } from './serve.ts';
export { createServerOptions } from './server-options.ts';
export { addServerSpans, completeServerSpans } from './server-spans.ts';
export { createTlsFetch, createTlsOptions, type TlsFiles } from './tls.ts';
