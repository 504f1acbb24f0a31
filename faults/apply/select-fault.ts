import { readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Fault, Mode } from './fault.ts';

/** The name of a fault is the name of its file. */
export const faultNames: readonly string[] = readdirSync(join(import.meta.dirname, '..'))
  .filter((file) => extname(file) === '.ts')
  .map((file) => basename(file, '.ts'))
  .toSorted();

/** Every fault by its name. */
export const faults: ReadonlyMap<string, Fault> = new Map(
  await Promise.all(
    faultNames.map(async (name) => {
      const { fault }: { readonly fault: Fault } = await import(`../${name}.ts`);
      return [name, fault] as const;
    }),
  ),
);

/** The fault does not exist or is impossible here. The message is one line with the reason and the possible faults. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** @throws {FaultError} when the fault does not exist, or would break nothing in this mode. */
export function selectFault(name: string, mode: Mode, isTls = false): Fault {
  const fault = faults.get(name);
  if (fault === undefined) {
    throw new FaultError(`FAULT=${JSON.stringify(name)} is not valid; allowed: ${faultNames.join(', ')}`);
  }
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
