import type { Fault, ServiceName } from './fault.ts';
import { selectFault } from './select-fault.ts';

/** A process that `FAULT` is for. */
export interface BrokenProcess {
  /** Null for the assertion, which only refuses a fault that cannot be had. */
  readonly service: ServiceName | null;
  readonly fault: Fault;
}

const entries: readonly (readonly [ending: string, service: ServiceName | null])[] = [
  ['/service-a/src/server.ts', 'service-a'],
  ['/service-b/src/server.ts', 'service-b'],
  ['/assert-propagation.ts', null],
];

/**
 * The service that runs in this process, and its fault. Null without `FAULT` and in other processes, for example a health check.
 * @throws {FaultError} when the fault cannot be had.
 */
export function readBrokenProcess(): BrokenProcess | null {
  const { FAULT: name, PROPAGATION: mode, TLS_KEY_FILE: keyFile, TLS: tls } = process.env;
  const path = process.argv[1]?.replaceAll('\\', '/') ?? '';
  const entry = entries.find(([ending]) => path.endsWith(ending));
  if (!name || entry === undefined) return null;
  const isTls = Boolean(keyFile || tls);
  return { service: entry[1], fault: selectFault(name, mode === 'manual' ? mode : 'auto', isTls) };
}
