import type { ComposeOverride, ServiceName, Stack } from './stack.ts';
import type { Traffic } from './traffic.ts';

/** A fault that is injected into the stack under load, and removed. */
export interface Fault {
  readonly name: string;
  /** A description for people. */
  readonly what: string;
  /** Duration in seconds, in the full and in the short form; 0 when the fault is over at once. */
  readonly lasts: { readonly full: number; readonly short: number };
  /** The fault must fill a bounded queue: the number of lost spans must then equal the number that the stack counts as dropped. */
  readonly reachesBound?: true;
  /** No other stack can run at the same time. */
  readonly needsAll?: true;
  /** Why this machine cannot inject the fault, or null. */
  readonly findObstacle?: (settings: Settings) => string | null;
  /** Changes of the stack's configuration that the fault needs. */
  readonly override?: (plain: StackShape) => ComposeOverride;
  /**
   * Injects the fault, waits, and removes it.
   * @throws {CommandError}
   * @throws {NoFaultError} when the fault had no effect on the stack: then the run proves nothing.
   */
  readonly strike: (scene: Scene) => Promise<void>;
}

export interface Scene {
  readonly stack: Stack;
  readonly traffic: Traffic;
  /** Requests per second. */
  readonly rate: number;
  readonly settings: Settings;
  /** Resolves when the fault has lasted long enough. */
  outage(): Promise<void>;
  /** Stops a service with SIGTERM; it must exit by itself. Its log is kept even when the container is replaced. */
  stopService(service: ServiceName): Promise<void>;
}

export interface Settings {
  /** Command that restarts the engine; null when that is not allowed. */
  readonly restartEngine: string | null;
}

/** The stack's configuration, as `docker compose config` prints it. */
export interface StackShape {
  /** Names of the volumes of each service, by mount path. */
  readonly volumes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The fault was injected, and nothing shows that it had an effect. */
export class NoFaultError extends Error {
  override readonly name = 'NoFaultError';
}
