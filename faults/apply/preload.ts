/** `node --import` loads this module before a service; it applies the fault in `FAULT`. */
import { readBrokenProcess } from './read-process.ts';
import { FaultError } from './select-fault.ts';

try {
  const broken = readBrokenProcess();
  if (broken?.service) {
    const { fault, service } = broken;
    Object.assign(process.env, fault.environment?.[service]);
    fault.preload?.[service]?.();
  }
} catch (error) {
  if (!(error instanceof FaultError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
