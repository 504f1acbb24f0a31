import type { Fault, Mode } from './fault.ts';
import * as table from './table.ts';

export type FaultName = keyof typeof table;

/** All of them; a fault's name is that of its file. */
export const faults: Readonly<Record<FaultName, Fault>> = table;

export const faultNames: readonly FaultName[] = Object.keys(table).filter(isFaultName);

/** The fault cannot be had. The message is one line that says why, and which can. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** @throws {FaultError} when there is no such fault, or when it would break nothing and so prove nothing. */
export function selectFault(name: string, mode: Mode, isTls = false): Fault {
  if (!isFaultName(name)) {
    throw new FaultError(`FAULT=${JSON.stringify(name)} is not valid; allowed: ${faultNames.join(', ')}`);
  }
  const fault = faults[name];
  const { modes = [mode] } = fault;
  if (!modes.includes(mode)) {
    throw new FaultError(
      `FAULT=${name} breaks nothing with PROPAGATION=${mode}; set PROPAGATION=${modes.join(' or ')}`,
    );
  }
  if (isTls && (fault.tap !== undefined || fault.wrapsFetch)) {
    throw new FaultError(`FAULT=${name} needs plain HTTP between the services; leave TLS unset`);
  }
  return fault;
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(table, name);
}
