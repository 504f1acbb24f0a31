import type { FindingId } from './finding.ts';

export interface Prose {
  /** One line, for people who do not know the word yet. */
  readonly title: string;
  readonly why: string;
  /** One line: what to change. */
  readonly fix: string;
}

/** The prose of every finding. A finding without prose does not compile. */
export const prose: Readonly<Record<FindingId, Prose>> = {
  'header-not-sent': {
    title: 'The caller sends no propagation header',
    why: 'The caller has a CLIENT span, but its request left without any trace context.',
    fix: 'Give the caller a propagator (OTEL_PROPAGATORS=tracecontext,baggage) and inject the context into the request.',
  },
  'header-stripped': {
    title: 'The header is lost on the way',
    why: 'The caller sent trace context and the called service received none: a proxy, gateway or mesh removed it.',
    fix: 'Let every proxy between the two services forward traceparent, tracestate and baggage unchanged.',
  },
  'header-rewritten': {
    title: 'The header is replaced on the way',
    why: 'The called service received a valid context that is not the one which the caller sent.',
    fix: 'Export the spans of the hop that starts its own trace, or let it forward the header that it received.',
  },
  'header-passed-through': {
    title: 'A hop hands on the header that it received',
    why: 'A service in between makes a span, and the request that it sends on still names the span before it.',
    fix: 'Let the hop write its own context: inject after its CLIENT span has begun (a proxy: propagate, not pass through).',
  },
  'parent-dropped': {
    title: 'The called service drops the parent id',
    why: 'The SERVER span has the trace id of the header and no parent: a second root of the same trace.',
    fix: 'Let the called service take the parent id of the header as well; look for an extractor that reads the trace id alone.',
  },
  'header-malformed': {
    title: 'The header is not a valid traceparent',
    why: 'The called service received a traceparent that W3C Trace Context tells it to ignore.',
    fix: 'Find the hop that cuts or builds the header by hand and let a propagator write it.',
  },
  'header-duplicated': {
    title: 'The header arrives twice',
    why: 'Two traceparent headers are no valid one: some servers take none, others the first, whichever that is.',
    fix: 'Remove the code that sets traceparent by hand: the instrumentation of the HTTP client sets it already.',
  },
  'format-mismatch': {
    title: 'The two services speak different formats',
    why: 'The caller sends one propagation format and the called service reads another.',
    fix: 'Give both services the same OTEL_PROPAGATORS, for example tracecontext,baggage,b3 while you migrate.',
  },
  'header-ignored': {
    title: 'The called service ignores the header',
    why: 'A valid traceparent arrived and the called service still began a new trace.',
    fix: 'Give the called service a propagator that reads tracecontext, and extract before the SERVER span starts.',
  },
  'split-trace': {
    title: 'One request, two traces',
    why: 'A CLIENT span has no child, and the SERVER span of the same request is the root of another trace.',
    fix: 'Run `propagation-check tap` in front of the called service to see what arrives there.',
  },
  'missing-server': {
    title: 'The called service left no SERVER span',
    why: 'The call was answered, but nothing of the called service hangs under it.',
    fix: 'Check in the called service: is its server instrumented, is it sampled, does its exporter deliver?',
  },
  'missing-client': {
    title: 'The caller\u2019s span is nowhere',
    why: 'A SERVER span names a parent that is not in the data, or the expected caller has no span at all.',
    fix: 'Check in the caller: does it end and export its CLIENT spans, is it sampled, does a proxy start spans of its own?',
  },
  'missing-call': {
    title: 'The caller shows no call',
    why: 'The expected caller shows no call: the called service began traces of its own, or has no span at all.',
    fix: 'Check in the caller: which HTTP client library makes the call, is it instrumented, and loaded after the instrumentation?',
  },
  'client-not-instrumented': {
    title: 'The caller\u2019s HTTP client is not instrumented',
    why: 'Requests of the caller have no CLIENT span, and the called service begins a new trace during each.',
    fix: 'Enable the instrumentation of the HTTP client library in use, and load it before that library.',
  },
  'server-not-instrumented': {
    title: 'The called service\u2019s server is not instrumented',
    why: 'The called service emits spans, but none for the requests that reach it.',
    fix: 'Enable the server instrumentation, load it before the framework (ESM: with its loader hook).',
  },
  'context-lost-in-process': {
    title: 'The context is lost inside the caller',
    why: 'The call is propagated well, but its CLIENT span does not belong to the request that made it.',
    fix: 'Carry the context across the queue, pool or callback (context.with / context.bind, Context.makeCurrent, contextvars).',
  },
  'stale-context': {
    title: 'Calls hang under an older request',
    why: 'A context or header of an earlier request is reused for later calls.',
    fix: 'Do not keep a context, header set or client with headers beyond one request; inject anew for every call.',
  },
  'wrong-parent': {
    title: 'The header names the wrong span',
    why: 'The called service hangs under a span of the caller that is not the CLIENT span of the call.',
    fix: 'Inject after the CLIENT span has been started and made current, or leave it to the instrumentation.',
  },
  'client-span-lost': {
    title: 'The caller\u2019s CLIENT span never arrived',
    why: 'Both services share the trace, but the span between them was not exported: telemetry is lost, not propagation.',
    fix: 'Let CLIENT spans end (read response bodies), flush before exit, and do not filter them before export.',
  },
  'server-span-lost': {
    title: 'The called service\u2019s SERVER span never arrived',
    why: 'The context was delivered, but the called service\u2019s spans were not: telemetry is lost, not propagation.',
    fix: 'Check the exporter of the called service and the Collector\u2019s refused and failed spans.',
  },
  'not-sampled': {
    title: 'One side does not sample',
    why: 'The sampled flag was 0, or a service decides on its own instead of following its parent.',
    fix: 'Use a parent-based sampler in every service (OTEL_TRACES_SAMPLER=parentbased_traceidratio).',
  },
  'trace-id-truncated': {
    title: 'The trace id is cut to 64 bits',
    why: 'The called service continued the trace with the last 16 digits of its id.',
    fix: 'Use 128-bit trace ids everywhere, or configure the older tracer to keep them.',
  },
  'baggage-lost': {
    title: 'Baggage does not arrive',
    why: 'The trace is whole, but an expected baggage entry is missing in the called service.',
    fix: 'Add baggage to OTEL_PROPAGATORS on both sides and let proxies forward the baggage header.',
  },
  'unexpected-edge': {
    title: 'A call that is not expected',
    why: 'The expectations forbid calls between these two services, and there are some.',
    fix: 'Remove the call, or allow the edge in the expectations.',
  },
  'service-unnamed': {
    title: 'A service has no name',
    why: 'Without service.name its spans cannot be told from those of other services.',
    fix: 'Set OTEL_SERVICE_NAME (or service.name in OTEL_RESOURCE_ATTRIBUTES).',
  },
  'clock-skew': {
    title: 'The clocks of two services differ',
    why: 'The SERVER span lies outside the time of its CLIENT span. The edge itself is whole.',
    fix: 'Synchronise the clocks of the two machines (NTP).',
  },
  'external-parent': {
    title: 'A caller outside the data brought its own trace',
    why: 'An entry span continues, or only links to, a trace of a caller whose spans are not here.',
    fix: 'Nothing, if the caller is a stranger; otherwise collect its spans too.',
  },
  'uninstrumented-peer': {
    title: 'A peer emits no spans',
    why: 'Calls leave for a service that is not in the data, such as a third party.',
    fix: 'Nothing, if the peer is not yours; otherwise instrument it.',
  },
};
