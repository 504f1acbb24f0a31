/** Exports for `scripts/` and `lab/`. The services load `preload.ts` instead. */
export type { Mode, ServiceName } from './fault.ts';
export { FaultError, faultNames, faults, selectFault } from './select-fault.ts';
export { startTaps } from './start-taps.ts';
