import type { Mode } from 'demo';
import type { FindingId } from 'propagation-check';
import type { FaultName } from '../service-a/src/fault.ts';

/** One way of breaking the demo, and what the checker has to say of it. */
export interface FaultRow {
  /** Which service breaks, or a proxy between the two. */
  readonly where: 'service-a' | 'service-b' | 'proxy';
  /** How it is made, in words. */
  readonly made: string;
  readonly modes: readonly Mode[];
  /** The finding that names the real cause: what spans and a tap on each side of the fault must give. */
  readonly cause: FindingId;
  /** What spans alone must give at least: the cause, or the symptom that has it among its candidates. */
  readonly fromSpans: FindingId;
  /** Which of the requests show it. */
  readonly shownBy: 'all' | 'all but the first' | 'every second';
}

const both: readonly Mode[] = ['auto', 'manual'];

export const faultTable: Readonly<Record<FaultName, FaultRow>> = {
  'strip-traceparent': {
    where: 'proxy',
    made: 'drops the header traceparent',
    modes: both,
    cause: 'header-stripped',
    fromSpans: 'split-trace',
    shownBy: 'all',
  },
  'cut-traceparent': {
    where: 'proxy',
    made: 'cuts traceparent to 40 characters',
    modes: both,
    cause: 'header-malformed',
    fromSpans: 'split-trace',
    shownBy: 'all',
  },
  'rewrite-traceparent': {
    where: 'proxy',
    made: 'puts a span id of its own into traceparent',
    modes: both,
    cause: 'header-rewritten',
    fromSpans: 'missing-client',
    shownBy: 'all',
  },
  'shorten-trace-id': {
    where: 'proxy',
    made: 'leaves 64 bits of the trace id',
    modes: both,
    cause: 'trace-id-truncated',
    fromSpans: 'trace-id-truncated',
    shownBy: 'all',
  },
  'unsample-traceparent': {
    where: 'proxy',
    made: 'sets the trace flags to 00',
    modes: both,
    cause: 'not-sampled',
    fromSpans: 'missing-server',
    shownBy: 'all',
  },
  'drop-baggage': {
    where: 'proxy',
    made: 'drops the header baggage from every second request',
    modes: ['manual'],
    cause: 'baggage-lost',
    fromSpans: 'baggage-lost',
    shownBy: 'every second',
  },
  'propagator-mismatch': {
    where: 'service-a',
    made: 'OTEL_PROPAGATORS=b3 in A, tracecontext in B',
    modes: both,
    cause: 'format-mismatch',
    fromSpans: 'split-trace',
    shownBy: 'all',
  },
  'propagator-none': {
    where: 'service-a',
    made: 'OTEL_PROPAGATORS=none',
    modes: both,
    cause: 'header-not-sent',
    fromSpans: 'split-trace',
    shownBy: 'all',
  },
  'extract-disabled': {
    where: 'service-b',
    made: 'OTEL_PROPAGATORS=none',
    modes: both,
    cause: 'header-ignored',
    fromSpans: 'split-trace',
    shownBy: 'all',
  },
  'client-not-instrumented': {
    where: 'service-a',
    made: 'neither instrumentation nor code makes CLIENT spans',
    modes: both,
    cause: 'client-not-instrumented',
    fromSpans: 'missing-call',
    shownBy: 'all',
  },
  'missing-esm-hook': {
    where: 'service-a',
    made: 'calls through `import { get } from "node:http"` without a loader hook',
    modes: ['auto'],
    cause: 'client-not-instrumented',
    fromSpans: 'missing-call',
    shownBy: 'all',
  },
  'late-initialisation': {
    where: 'service-b',
    made: 'instruments when Fastify listens already',
    modes: ['auto'],
    cause: 'server-not-instrumented',
    fromSpans: 'missing-server',
    shownBy: 'all',
  },
  'duplicate-traceparent': {
    where: 'service-a',
    made: 'a wrapper around `fetch` injects once more',
    modes: both,
    cause: 'header-duplicated',
    fromSpans: 'split-trace',
    shownBy: 'all',
  },
  'wrong-span-injected': {
    where: 'service-a',
    made: 'injects the SERVER span instead of the CLIENT span',
    modes: ['manual'],
    cause: 'wrong-parent',
    fromSpans: 'wrong-parent',
    shownBy: 'all',
  },
  'context-lost': {
    where: 'service-a',
    made: 'a worker that began before the request makes the call',
    modes: both,
    cause: 'context-lost-in-process',
    fromSpans: 'context-lost-in-process',
    shownBy: 'all',
  },
  'stale-context': {
    where: 'service-a',
    made: 'a callback of the first request makes all calls',
    modes: both,
    cause: 'stale-context',
    fromSpans: 'stale-context',
    shownBy: 'all but the first',
  },
  'body-never-read': {
    where: 'service-a',
    made: 'reads only the beginning of a long answer',
    modes: ['auto'],
    cause: 'client-span-lost',
    fromSpans: 'client-span-lost',
    shownBy: 'all',
  },
  'caller-not-sampled': {
    where: 'service-a',
    made: 'OTEL_TRACES_SAMPLER=always_off in A, always_on in B',
    modes: both,
    cause: 'not-sampled',
    fromSpans: 'missing-client',
    shownBy: 'all',
  },
  'callee-not-sampled': {
    where: 'service-b',
    made: 'OTEL_TRACES_SAMPLER=always_off',
    modes: both,
    cause: 'not-sampled',
    fromSpans: 'missing-server',
    shownBy: 'all',
  },
  'exporter-down': {
    where: 'service-b',
    made: 'exports to a port at which nobody listens',
    modes: both,
    cause: 'server-span-lost',
    fromSpans: 'missing-server',
    shownBy: 'all',
  },
  'service-unnamed': {
    where: 'service-b',
    made: 'OTEL_SERVICE_NAME is empty',
    modes: both,
    cause: 'service-unnamed',
    fromSpans: 'service-unnamed',
    shownBy: 'all',
  },
  'clock-skew': {
    where: 'service-b',
    made: 'its clock is two seconds ahead',
    modes: both,
    cause: 'clock-skew',
    fromSpans: 'clock-skew',
    shownBy: 'all',
  },
};
