import type { FastifyInstance } from 'fastify';
import type { Propagation } from './config.ts';

/**
 * Every way in which the demo breaks propagation. Both services get the same `FAULT`: each knows all the names
 * and changes only what is its own.
 */
export const faultNames = [
  'strip-traceparent',
  'cut-traceparent',
  'rewrite-traceparent',
  'shorten-trace-id',
  'unsample-traceparent',
  'drop-baggage',
  'propagator-mismatch',
  'propagator-none',
  'extract-disabled',
  'client-not-instrumented',
  'missing-esm-hook',
  'late-initialisation',
  'duplicate-traceparent',
  'wrong-span-injected',
  'context-lost',
  'stale-context',
  'body-never-read',
  'caller-not-sampled',
  'callee-not-sampled',
  'exporter-down',
  'service-unnamed',
  'clock-skew',
] as const;

export type FaultName = (typeof faultNames)[number];

/** What a fault changes in this service; nothing here knows of assertions. */
export interface Fault {
  /** The only mode in which it breaks anything; absent where it does in both. */
  readonly onlyIn?: Propagation;
  /** Environment variables for the SDK. They win over what the user has set. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `true`: nothing is instrumented before the service listens. */
  readonly instrumentLate?: true;
  /** Called before anything else. */
  readonly prepare?: () => void;
  /** Changes the service before it listens. */
  readonly changeApp?: (app: FastifyInstance) => void;
}

const madeByServiceA: Fault = {};

export const faults: Readonly<Record<FaultName, Fault>> = {
  'strip-traceparent': madeByServiceA,
  'cut-traceparent': madeByServiceA,
  'rewrite-traceparent': madeByServiceA,
  'shorten-trace-id': madeByServiceA,
  'unsample-traceparent': madeByServiceA,
  'drop-baggage': madeByServiceA,

  // A sends b3, and B understands W3C Trace Context only.
  'propagator-mismatch': { environment: { OTEL_PROPAGATORS: 'tracecontext,baggage' } },

  'propagator-none': madeByServiceA,

  // B reads no header.
  'extract-disabled': { environment: { OTEL_PROPAGATORS: 'none' } },

  'client-not-instrumented': madeByServiceA,
  'missing-esm-hook': madeByServiceA,

  // Whoever starts OpenTelemetry waits for something first, and nobody waits for that.
  'late-initialisation': { onlyIn: 'auto', instrumentLate: true },

  'duplicate-traceparent': madeByServiceA,
  'wrong-span-injected': madeByServiceA,
  'context-lost': madeByServiceA,
  'stale-context': madeByServiceA,

  // An answer longer than what its client takes without being read: service A reads only the beginning.
  'body-never-read': { changeApp: padAnswers },

  // A takes no part in tracing, and B does not follow its decision.
  'caller-not-sampled': { environment: { OTEL_TRACES_SAMPLER: 'always_on' } },

  // B takes no part in tracing, whatever A has decided.
  'callee-not-sampled': { environment: { OTEL_TRACES_SAMPLER: 'always_off' } },

  // B's spans go to a port at which nobody listens. It gives up early, so that the service can stop early.
  'exporter-down': {
    environment: {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1000',
    },
  },

  // The SDK makes up `unknown_service` and the path of the runtime.
  'service-unnamed': { environment: { OTEL_SERVICE_NAME: '' } },

  // B's clock is two seconds ahead.
  'clock-skew': { prepare: () => shiftClock(2_000) },
};

const paddingLength = 192 * 1024;

function padAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async (request, _reply, payload) =>
    request.routeOptions.url === '/work' ? `${payload}${' '.repeat(paddingLength)}` : payload,
  );
}

/** Everybody asks `Date.now`, the SDK for the start of a span. */
function shiftClock(millis: number): void {
  const { now } = Date;
  Date.now = () => now() + millis;
}
