import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { BoundaryError } from './boundary-error.ts';
import { TraceContextPropagator } from './trace-context-propagator.ts';

const propagators = {
  tracecontext: () => new TraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
} as const;

/**
 * The propagators of `OTEL_PROPAGATORS`, with the strict one as `tracecontext`.
 * @throws {BoundaryError} for a name that is not known.
 */
export function createPropagator(names = process.env.OTEL_PROPAGATORS): TextMapPropagator {
  const chosen = new Set((names || 'tracecontext,baggage').split(',').map((name) => name.trim()));
  const made = [...chosen].flatMap((name) => {
    if (name === 'none') return [];
    if (!isKnown(name)) {
      const allowed = [...Object.keys(propagators), 'none'].join(', ');
      throw new BoundaryError(
        `OTEL_PROPAGATORS=${JSON.stringify(names)} is not valid; allowed: ${allowed}, separated by commas`,
      );
    }
    return propagators[name]();
  });
  // As in the specification, `none` wins.
  return new CompositePropagator({ propagators: chosen.has('none') ? [] : made });
}

function isKnown(name: string): name is keyof typeof propagators {
  return Object.hasOwn(propagators, name);
}
