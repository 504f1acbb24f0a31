import type { FindingId } from 'propagation-check';

/** The exact results of the assertion and the checker for one fault. */
export interface Expectation {
  /** All statements of the assertion that fail. The first one shows where the trace breaks. */
  readonly fails: readonly number[];
  /** The failing statements of manual mode, where they differ. */
  readonly failsInManual?: readonly number[];
  /** The failing statements of requests that do not show the fault; none by default. */
  readonly failsInOthers?: readonly number[];
  /** The finding that names the real cause. Spans with a tap on each side of the fault must give it. */
  readonly cause: FindingId;
  /** The finding from spans alone: the cause, or the symptom that has it among its candidates. */
  readonly fromSpans: FindingId;
  /** The requests that show the fault; all by default. */
  readonly shownBy?: 'all but the first' | 'every second';
}

export const expectations: Readonly<Record<string, Expectation>> = {
  'body-never-read': {
    fails: [5],
    cause: 'client-span-lost',
    fromSpans: 'client-span-lost',
  },
  'callee-not-sampled': {
    fails: [6],
    cause: 'not-sampled',
    fromSpans: 'not-sampled',
  },
  'caller-not-sampled': {
    fails: [4, 5],
    cause: 'not-sampled',
    fromSpans: 'not-sampled',
  },
  'client-not-instrumented': {
    fails: [2, 3, 5, 7, 8],
    failsInManual: [2, 3, 5, 7, 8, 10],
    cause: 'client-not-instrumented',
    fromSpans: 'client-not-instrumented',
  },
  'clock-skew': {
    fails: [9],
    cause: 'clock-skew',
    fromSpans: 'clock-skew',
  },
  'context-lost': {
    // The header matches A's CLIENT span, which is itself in the wrong trace.
    fails: [2, 5],
    cause: 'context-lost-in-process',
    fromSpans: 'context-lost-in-process',
  },
  'cut-traceparent': {
    fails: [2, 3, 7, 8],
    cause: 'header-malformed',
    fromSpans: 'header-malformed',
  },
  'drop-baggage': {
    fails: [10],
    cause: 'baggage-lost',
    fromSpans: 'baggage-lost',
    shownBy: 'every second',
  },
  'duplicate-traceparent': {
    fails: [2, 3, 7, 8],
    cause: 'header-duplicated',
    fromSpans: 'header-duplicated',
  },
  'exporter-down': {
    fails: [6],
    cause: 'server-span-lost',
    fromSpans: 'server-span-lost',
  },
  'extract-disabled': {
    fails: [2, 3, 7],
    failsInManual: [2, 3, 7, 10],
    cause: 'header-ignored',
    fromSpans: 'header-ignored',
  },
  'late-initialisation': {
    fails: [1, 2, 3, 6],
    cause: 'server-not-instrumented',
    fromSpans: 'missing-server',
  },
  'missing-esm-hook': {
    fails: [2, 3, 5, 7, 8],
    cause: 'client-not-instrumented',
    fromSpans: 'client-not-instrumented',
  },
  'propagator-mismatch': {
    // A sends b3 only, so it sends no baggage either.
    fails: [2, 3, 7, 8],
    failsInManual: [2, 3, 7, 8, 10],
    cause: 'format-mismatch',
    fromSpans: 'format-mismatch',
  },
  'propagator-none': {
    fails: [2, 3, 7, 8],
    failsInManual: [2, 3, 7, 8, 10],
    cause: 'header-not-sent',
    fromSpans: 'header-not-sent',
  },
  'rewrite-traceparent': {
    fails: [7, 8],
    cause: 'header-rewritten',
    fromSpans: 'header-rewritten',
  },
  'service-unnamed': {
    fails: [9],
    cause: 'service-unnamed',
    fromSpans: 'service-unnamed',
  },
  'shorten-trace-id': {
    fails: [2, 7],
    cause: 'trace-id-truncated',
    fromSpans: 'trace-id-truncated',
  },
  'stale-context': {
    // The calls of all requests are in the first request's trace.
    fails: [2, 4, 5, 6],
    failsInOthers: [5, 6],
    cause: 'stale-context',
    fromSpans: 'stale-context',
    shownBy: 'all but the first',
  },
  'strip-traceparent': {
    fails: [2, 3, 7, 8],
    cause: 'header-stripped',
    fromSpans: 'header-stripped',
  },
  'unsample-traceparent': {
    fails: [6],
    cause: 'not-sampled',
    fromSpans: 'not-sampled',
  },
  'wrong-span-injected': {
    fails: [7, 8],
    cause: 'wrong-parent',
    fromSpans: 'wrong-parent',
  },
};

/** @throws {Error} for a fault without a row. */
export function readExpectation(name: string): Expectation {
  const row = expectations[name];
  if (row === undefined) throw new Error(`lab/fault-matrix/expectations.ts has no row for the fault ${name}`);
  return row;
}

/** Whether a request shows the fault. @param request its number among sequential requests, from 0 */
export function isShownBy({ shownBy }: Pick<Expectation, 'shownBy'>, request: number): boolean {
  if (shownBy === undefined) return true;
  return shownBy === 'all but the first' ? request > 0 : request % 2 === 0;
}
