/**
 * `node --import` loads it before a service, and breaks it as `FAULT` says. Loaded before the assertion it only refuses
 * a fault that cannot be had. In Compose a health check loads it too, and is left alone.
 */
import type { ServiceName } from './fault.ts';
import { FaultError, selectFault } from './select-fault.ts';

const entry = /(service-a|service-b)\/src\/server\.ts$|assert-propagation\.ts$/.exec(process.argv[1] ?? '');
if (entry !== null) breakProcess(entry[1]);

function breakProcess(service: string | undefined): void {
  const { FAULT: name, PROPAGATION: mode, TLS_KEY_FILE: keyFile, TLS: tls } = process.env;
  if (!name) return;
  try {
    const fault = selectFault(name, mode === 'manual' ? mode : 'auto', Boolean(keyFile || tls));
    if (!isServiceName(service)) return;
    Object.assign(process.env, fault.environment?.[service]);
    fault.preload?.[service]?.();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    process.stderr.write(`${service ?? 'assert'}: ${error.message}\n`);
    process.exit(2);
  }
}

function isServiceName(name: string | undefined): name is ServiceName {
  return name === 'service-a' || name === 'service-b';
}
