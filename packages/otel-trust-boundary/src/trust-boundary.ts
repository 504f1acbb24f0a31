import type { TextMapPropagator } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { answerTrustedCallers, type TrustPlugin } from './answer-trusted-callers.ts';
import { BoundaryPropagator } from './boundary-propagator.ts';
import { CallerLinkProcessor } from './caller-link-processor.ts';
import { createPropagator } from './create-propagator.ts';
import { createPeers } from './peers.ts';
import type { Trust } from './trust.ts';

export interface TrustBoundaryOptions {
  /** The peers whose trace context the service continues. */
  readonly trust: Trust;
  /** Reads and writes the headers; by default the propagators of `OTEL_PROPAGATORS`. */
  readonly propagator?: TextMapPropagator;
}

/** The edge of a service: trusted callers' traces continue, others are linked. */
export class TrustBoundary {
  /** For the SDK's `textMapPropagator`. */
  readonly propagator: TextMapPropagator;
  /** For the SDK's `spanProcessors`: links SERVER spans to the callers whose traces they do not continue. */
  readonly spanProcessor: SpanProcessor = new CallerLinkProcessor();
  /** Tells trusted callers their request's SERVER span: `traceresponse` and `Server-Timing`. */
  readonly fastify: TrustPlugin;

  /** @throws {BoundaryError} where `OTEL_PROPAGATORS` has a name that is not known. */
  constructor({ trust, propagator = createPropagator() }: TrustBoundaryOptions) {
    const peers = createPeers(trust);
    this.propagator = new BoundaryPropagator(propagator, peers.isSenderTrusted);
    this.fastify = answerTrustedCallers(peers);
  }
}
