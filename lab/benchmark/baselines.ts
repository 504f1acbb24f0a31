import type { Span } from 'propagation-check';
import type { Capture } from '../read-corpus.ts';
import type { EdgeAnswer } from './answer.ts';

/** A simple rule that people use in place of a checker. */
export interface Baseline {
  readonly name: string;
  readonly answer: (capture: Capture) => readonly EdgeAnswer[];
}

export const baselines: readonly Baseline[] = [
  {
    name: 'one good pair: an expected edge is whole with its first CLIENT and SERVER',
    answer: askForOnePair,
  },
  { name: 'SPA-002: a span whose parent is not there', answer: findOrphans },
  { name: 'SPA-004: a root that is a CLIENT', answer: findClientRoots },
  {
    name: 'SPA-002 or SPA-004',
    answer: (capture) => [...findOrphans(capture), ...findClientRoots(capture)],
  },
];

/** The rule of trace-based tests and service graphs: one CLIENT and SERVER pair makes an edge (opentelemetry-demo, `test/telemetry`). */
function askForOnePair({ spans, expectation }: Capture): readonly EdgeAnswer[] {
  const byId = indexSpans(spans);
  const good = new Set(
    spans.flatMap((span) => {
      const parent = byId.get(idOf(span.traceId, span.parentSpanId));
      const isPair = parent?.kind === 'CLIENT' && span.kind === 'SERVER';
      const isMessage = parent?.kind === 'PRODUCER' && span.kind === 'CONSUMER';
      return isPair || isMessage ? [idOf(parent.serviceName, span.serviceName)] : [];
    }),
  );
  return expectation.edges.map(({ client, server }) => ({
    client,
    server,
    verdict: good.has(idOf(client, server)) ? 'intact' : 'broken',
  }));
}

/** Source: instrumentation-score/spec, `rules/SPA-002.md`: a span's parent must be in the same trace. */
function findOrphans({ spans }: Capture): readonly EdgeAnswer[] {
  const byId = indexSpans(spans);
  const orphans = spans.filter(
    ({ traceId, parentSpanId }) => parentSpanId !== null && !byId.has(idOf(traceId, parentSpanId)),
  );
  return servicesOf(orphans).map((server) => ({ client: null, server, verdict: 'broken' }));
}

/** Source: instrumentation-score/spec, `rules/SPA-004.md`: root spans are not CLIENT spans. */
function findClientRoots({ spans }: Capture): readonly EdgeAnswer[] {
  const roots = spans.filter(({ kind, parentSpanId }) => kind === 'CLIENT' && parentSpanId === null);
  return servicesOf(roots).map((client) => ({ client, server: null, verdict: 'broken' }));
}

function indexSpans(spans: readonly Span[]): ReadonlyMap<string, Span> {
  return new Map(spans.map((span) => [idOf(span.traceId, span.spanId), span]));
}

function servicesOf(spans: readonly Span[]): readonly (string | null)[] {
  return [...new Set(spans.map(({ serviceName }) => serviceName))];
}

function idOf(...parts: readonly (string | null)[]): string {
  return parts.join(' ');
}
