export type Mode = 'auto' | 'manual';
export type ServiceName = 'service-a' | 'service-b';

/** One way of breaking propagation between the demo's services, from outside: neither of them knows of it. */
export interface Fault {
  /** The place of the defect: a service, or a proxy between the two. */
  readonly where: ServiceName | 'proxy';
  /** How it is made, for the documentation. */
  readonly made: string;
  /** The modes in which it breaks anything; both unless given. */
  readonly modes?: readonly Mode[];
  /** Variables of a service's process. They win over the user's. */
  readonly environment?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
  /** Called in a service's process before anything else is loaded. */
  readonly preload?: Readonly<Partial<Record<ServiceName, () => void>>>;
  /** Faults of `propagation-check tap` in a proxy between the services. */
  readonly tap?: TapFaults;
  /** It shows only in so many requests, one after another. */
  readonly requests?: number;
  /** It changes the global `fetch`, which service A does not use for TLS. */
  readonly wrapsFetch?: true;
}

/** As the options of `propagation-check tap`. */
export interface TapFaults {
  readonly faults: readonly string[];
  readonly faultRate?: number;
  readonly faultSeed?: number;
}
