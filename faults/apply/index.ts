/** For `scripts/` and `lab/`. The services load `preload.ts`. */
export type { Fault, Mode, ServiceName, TapFaults } from './fault.ts';
export { FaultError, faultNames, faults, selectFault } from './select-fault.ts';
export { startTaps, type Taps } from './start-taps.ts';
