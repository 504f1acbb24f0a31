/** Balances the spans between services, Collector and trace store, by the counters of each hop. */
export { isBalanced } from './balance.ts';
export { CountersError, parseCollectorCounters, parseServiceCounters } from './counters.ts';
export { drawUpAccount } from './draw-up-account.ts';
export { readCounters, type Way } from './read-counters.ts';
export { renderAccount } from './render-account.ts';
export { readSamples, type Sample, sumSamples } from './samples.ts';
export { settleCounters } from './settle-counters.ts';
