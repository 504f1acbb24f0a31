/**
 * Every way in which the demo breaks propagation. Both services get the same `FAULT`: each knows all the names
 * and changes only what is its own.
 */
export const faultNames = [
  'strip-traceparent',
  'propagator-mismatch',
  'propagator-none',
  'client-not-instrumented',
  'duplicate-traceparent',
  'context-lost',
] as const;

export type FaultName = (typeof faultNames)[number];

/** What a fault changes in this service; nothing here knows of assertions. */
export interface Fault {
  /** Environment variables for the SDK. They win over what the user has set. */
  readonly environment?: Readonly<Record<string, string>>;
}

const madeByServiceA: Fault = {};

export const faults: Readonly<Record<FaultName, Fault>> = {
  'strip-traceparent': madeByServiceA,

  // A sends b3, and B understands W3C Trace Context only.
  'propagator-mismatch': { environment: { OTEL_PROPAGATORS: 'tracecontext,baggage' } },

  'propagator-none': madeByServiceA,
  'client-not-instrumented': madeByServiceA,
  'duplicate-traceparent': madeByServiceA,
  'context-lost': madeByServiceA,
};
