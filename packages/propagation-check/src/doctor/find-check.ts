import type { DoctorCheck } from './check.ts';
import { doctorChecks } from './checks.ts';

/** Ids come from `doctorChecks`. @throws where no check has the id. */
export function findCheck(id: string): DoctorCheck {
  const found = doctorChecks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check is called ${id}`);
  return found;
}
