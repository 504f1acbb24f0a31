import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { BoundaryPropagator } from './boundary-propagator.ts';
import type { Config, PropagatorName } from './config.ts';
import { TraceContextPropagator } from './trace-context-propagator.ts';
import { createTrustTest } from './trust.ts';

const propagators = {
  tracecontext: () => new TraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
} as const satisfies Readonly<Record<PropagatorName, () => TextMapPropagator>>;

/** What the service sends, and what it takes from whom. Null where it does neither. */
export function createPropagator(
  names: readonly PropagatorName[],
  trust: Config['trustIncoming'],
): TextMapPropagator | null {
  if (names.length === 0) return null;
  const inner = new CompositePropagator({ propagators: names.map((name) => propagators[name]()) });
  return new BoundaryPropagator(inner, createTrustTest(trust));
}
