import type { Mode } from 'demo';
import { faultNames, faults } from 'faults';
import { checkFault, checkHealthy } from './check.ts';
import { type Observation, observeFault, observeVariant } from './observe.ts';
import type { RunScores } from './score.ts';
import { variantNames } from './variants/variant.ts';

/** One run of real services and the expected result. */
export interface FaultCase {
  readonly name: string;
  readonly mode: Mode;
  readonly isHealthy: boolean;
  run(signal: AbortSignal): Promise<Observation>;
  check(observation: Observation): RunScores;
}

/** The healthy demo, every fault in every mode in which it breaks something, and the healthy variants. */
export const faultCases: readonly FaultCase[] = [
  createHealthyCase('auto'),
  createHealthyCase('manual'),
  ...faultNames.flatMap((name) => listModes(name).map((mode) => createFaultCase(name, mode))),
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

/** The modes in which the fault breaks something. */
export function listModes(name: string): readonly Mode[] {
  return faults.get(name)?.modes ?? ['auto', 'manual'];
}

function createHealthyCase(mode: Mode): FaultCase {
  return {
    name: 'healthy',
    mode,
    isHealthy: true,
    run: (signal) => observeFault(null, mode, signal),
    check: (observation) => checkHealthy(mode, observation),
  };
}

function createFaultCase(name: string, mode: Mode): FaultCase {
  return {
    name,
    mode,
    isHealthy: false,
    run: (signal) => observeFault(name, mode, signal),
    check: (observation) => checkFault(name, mode, observation),
  };
}
