import type { Fault, ServiceName } from './fault.ts';
import { selectFault } from './select-fault.ts';

/** A process to which `FAULT` applies. */
export interface BrokenProcess {
  /** Null for the assertion, which only refuses an impossible fault. */
  readonly service: ServiceName | null;
  readonly fault: Fault;
}

const entries: readonly (readonly [ending: string, service: ServiceName | null])[] = [
  ['/service-a/src/server.ts', 'service-a'],
  ['/service-b/src/server.ts', 'service-b'],
  ['/assert-propagation.ts', null],
];

/**
 * The service of this process and its fault. Null without `FAULT`, and in other processes such as a health check.
 * @throws {FaultError} when the fault does not exist or is impossible in this mode.
 */
export function readBrokenProcess(): BrokenProcess | null {
  const { FAULT: name, PROPAGATION: mode, TLS_KEY_FILE: keyFile, TLS: tls } = process.env;
  const path = process.argv[1]?.replaceAll('\\', '/') ?? '';
  const entry = entries.find(([ending]) => path.endsWith(ending));
  if (!name || entry === undefined) return null;
  const isTls = Boolean(keyFile || tls);
  return { service: entry[1], fault: selectFault(name, mode === 'manual' ? mode : 'auto', isTls) };
}
