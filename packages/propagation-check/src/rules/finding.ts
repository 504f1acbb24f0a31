/** Under its id, every finding has a rule, a fixture folder, a docs page and an entry in `findings.ts`. */
export const findingIds = [
  'header-not-sent',
  'header-stripped',
  'header-rewritten',
  'header-passed-through',
  'parent-dropped',
  'header-malformed',
  'header-duplicated',
  'format-mismatch',
  'header-ignored',
  'split-trace',
  'missing-server',
  'missing-client',
  'missing-call',
  'client-not-instrumented',
  'server-not-instrumented',
  'context-lost-in-process',
  'stale-context',
  'wrong-parent',
  'client-span-lost',
  'server-span-lost',
  'not-sampled',
  'trace-id-truncated',
  'baggage-lost',
  'unexpected-edge',
  'span-lost-in-service',
  'service-unnamed',
  'clock-skew',
  'external-parent',
  'uninstrumented-peer',
] as const;

/** The id of a finding, which also names its rule and its page. */
export type FindingId = (typeof findingIds)[number];

/** Only an `error` makes a result `broken`. */
export type Severity = 'error' | 'warning' | 'info';
