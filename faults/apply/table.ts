/** Each fault by its name. */

export { fault as 'body-never-read' } from '../body-never-read.ts';
export { fault as 'callee-not-sampled' } from '../callee-not-sampled.ts';
export { fault as 'caller-not-sampled' } from '../caller-not-sampled.ts';
export { fault as 'client-not-instrumented' } from '../client-not-instrumented.ts';
export { fault as 'clock-skew' } from '../clock-skew.ts';
export { fault as 'context-lost' } from '../context-lost.ts';
export { fault as 'cut-traceparent' } from '../cut-traceparent.ts';
export { fault as 'drop-baggage' } from '../drop-baggage.ts';
export { fault as 'duplicate-traceparent' } from '../duplicate-traceparent.ts';
export { fault as 'exporter-down' } from '../exporter-down.ts';
export { fault as 'extract-disabled' } from '../extract-disabled.ts';
export { fault as 'late-initialisation' } from '../late-initialisation.ts';
export { fault as 'missing-esm-hook' } from '../missing-esm-hook.ts';
export { fault as 'propagator-mismatch' } from '../propagator-mismatch.ts';
export { fault as 'propagator-none' } from '../propagator-none.ts';
export { fault as 'rewrite-traceparent' } from '../rewrite-traceparent.ts';
export { fault as 'service-unnamed' } from '../service-unnamed.ts';
export { fault as 'shorten-trace-id' } from '../shorten-trace-id.ts';
export { fault as 'stale-context' } from '../stale-context.ts';
export { fault as 'strip-traceparent' } from '../strip-traceparent.ts';
export { fault as 'unsample-traceparent' } from '../unsample-traceparent.ts';
export { fault as 'wrong-span-injected' } from '../wrong-span-injected.ts';
