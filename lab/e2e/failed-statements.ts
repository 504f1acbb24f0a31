/** Which statements of the proof each fault of the demo must break, and no others. */
export const failedStatements = {
  'strip-traceparent': { auto: [2, 3, 7, 8], manual: [2, 3, 7, 8] },
  // A sends b3 only, so its baggage stays behind too.
  'propagator-mismatch': { auto: [2, 3, 7, 8], manual: [2, 3, 7, 8, 10] },
  'propagator-none': { auto: [2, 3, 7, 8], manual: [2, 3, 7, 8, 10] },
  'client-not-instrumented': { auto: [2, 3, 5, 7, 8], manual: [2, 3, 5, 7, 8, 10] },
  'duplicate-traceparent': { auto: [2, 3, 7, 8], manual: [2, 3, 7, 8] },
  // The header is right: it is A's own CLIENT span that is in the wrong trace.
  'context-lost': { auto: [2, 5], manual: [2, 5] },
} as const satisfies Record<string, Record<'auto' | 'manual', readonly number[]>>;

export const faultNames = [
  'strip-traceparent',
  'propagator-mismatch',
  'propagator-none',
  'client-not-instrumented',
  'duplicate-traceparent',
  'context-lost',
] as const satisfies readonly (keyof typeof failedStatements)[];
