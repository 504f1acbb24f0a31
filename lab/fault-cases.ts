import type { Mode } from 'demo';
import { type FaultName, faultNames } from '../service-a/src/fault.ts';
import { checkFault, checkHealthy } from './fault-check.ts';
import { type Observation, observeFault, observeVariant, requestsPerRun } from './fault-run.ts';
import type { RunScores } from './fault-score.ts';
import { faultTable } from './fault-table.ts';
import { variantNames } from './fault-variants/variant.ts';

/** One run of real services and what it must give. */
export interface FaultCase {
  readonly name: string;
  readonly mode: Mode;
  readonly isHealthy: boolean;
  run(signal: AbortSignal): Promise<Observation>;
  check(observation: Observation): RunScores;
}

/** The healthy demo, every fault in every mode in which it breaks something, and the healthy variants. */
export const faultCases: readonly FaultCase[] = [
  ...(['auto', 'manual'] as const).map(createHealthyCase),
  ...faultNames.flatMap((name) => faultTable[name].modes.map((mode) => createFaultCase(name, mode))),
  ...variantNames.map(
    (name): FaultCase => ({
      name,
      mode: 'auto',
      isHealthy: true,
      run: (signal) => observeVariant(name, signal),
      check: (observation) => checkHealthy('auto', observation),
    }),
  ),
];

function createHealthyCase(mode: Mode): FaultCase {
  return {
    name: 'healthy',
    mode,
    isHealthy: true,
    run: (signal) => observeFault(null, mode, signal),
    check: (observation) => checkHealthy(mode, observation),
  };
}

function createFaultCase(name: FaultName, mode: Mode): FaultCase {
  return {
    name,
    mode,
    isHealthy: false,
    run: (signal) => observeFault(name, mode, signal),
    check: (observation) => checkFault(name, mode, observation, requestsPerRun),
  };
}
