import type { ComposeOverride, ServiceName, Stack } from './stack.ts';
import type { Traffic } from './traffic.ts';

/** One thing that happens to the stack under load, and its end. */
export interface Fault {
  readonly name: string;
  /** A description for people. */
  readonly what: string;
  /** How long it lasts, in seconds; in the short form the second. 0 where it is over at once. */
  readonly lasts: { readonly full: number; readonly short: number };
  /** A bound has to be reached: the number of lost spans then has to be the number that the stack counts as dropped. */
  readonly reachesBound?: true;
  /** No other stack can run beside it. */
  readonly needsAll?: true;
  /** Why it cannot be made here, or null. */
  readonly findObstacle?: (settings: Settings) => string | null;
  /** Changes of the stack's configuration, made before the start. */
  readonly override?: (plain: StackShape) => ComposeOverride;
  /**
   * Makes the fault, waits, and mends it.
   * @throws {CommandError}
   * @throws {NoFaultError} when the stack did not feel it: then the run proves nothing.
   */
  readonly strike: (scene: Scene) => Promise<void>;
}

export interface Scene {
  readonly stack: Stack;
  readonly traffic: Traffic;
  /** Requests a second. */
  readonly rate: number;
  readonly settings: Settings;
  /** Resolves when the fault has lasted long enough. */
  outage(): Promise<void>;
  /** Stops a service by SIGTERM; its log is kept, also when the container is replaced then. It must end by itself. */
  stopService(service: ServiceName): Promise<void>;
}

export interface Settings {
  /** Restarts the engine; null where that is not allowed. */
  readonly restartEngine: string | null;
}

/** The stack's configuration, as `docker compose config` prints it. */
export interface StackShape {
  /** Names of the volumes of each service, by the path at which it sees them. */
  readonly volumes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The fault was made, and nothing shows that it was felt. */
export class NoFaultError extends Error {
  override readonly name = 'NoFaultError';
}
