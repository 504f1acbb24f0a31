/** Decides whose trace context a service continues. */
export { BoundaryError } from './boundary-error.ts';
export { createPropagator } from './create-propagator.ts';
export { TraceContextPropagator } from './trace-context-propagator.ts';
export { type Network, parseTrust, type Trust } from './trust.ts';
export { TrustBoundary, type TrustBoundaryOptions } from './trust-boundary.ts';
