export type Mode = 'auto' | 'manual';
export type ServiceName = 'service-a' | 'service-b';

/** A way to break propagation between the demo's services from outside: the services have no code for it. */
export interface Fault {
  /** The place of the defect: a service, or a proxy between the two. */
  readonly where: ServiceName | 'proxy';
  /** How the fault is made, for the documentation. */
  readonly made: string;
  /** The modes in which the fault breaks propagation; both by default. */
  readonly modes?: readonly Mode[];
  /** Environment variables of a service's process. They override the user's. */
  readonly environment?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
  /** Functions that are called in a service's process before any other module is loaded. */
  readonly preload?: Readonly<Partial<Record<ServiceName, () => void>>>;
  /** Faults of `propagation-check tap` in a proxy between the services. */
  readonly tap?: TapFaults;
  /** Number of sequential requests that the fault needs to show. */
  readonly requests?: number;
  /** The fault changes the global `fetch`, which service A does not use with TLS. */
  readonly wrapsFetch?: true;
}

/** The options `--fault`, `--fault-rate` and `--fault-seed` of `propagation-check tap`. */
export interface TapFaults {
  readonly faults: readonly string[];
  readonly faultRate?: number;
  readonly faultSeed?: number;
}
