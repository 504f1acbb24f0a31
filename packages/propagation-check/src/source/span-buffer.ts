import type { Span } from '../span/span.ts';

export interface SpanBufferLimits {
  readonly maxSpans: number;
  /** Estimated from the size of the requests the spans came in. */
  readonly maxBytes: number;
}

const maxDroppedTraces = 100_000;

interface BufferedTrace {
  readonly spans: Span[];
  bytes: number;
}

/**
 * Spans in memory, grouped by trace. When it is full the trace that began to arrive first is dropped
 * whole, because half a trace would look broken; `droppedSpans` counts what was lost.
 */
export class SpanBuffer {
  readonly #traces = new Map<string, BufferedTrace>();
  readonly #limits: SpanBufferLimits;
  /** Late spans of these are dropped too. Bounded: the oldest are forgotten. */
  readonly #droppedTraces = new Set<string>();
  #spans = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(limits: SpanBufferLimits) {
    this.#limits = limits;
  }

  get droppedSpans(): number {
    return this.#dropped;
  }

  /** @param bytes Size of the request the spans came in. */
  add(spans: readonly Span[], bytes: number): void {
    const share = spans.length === 0 ? 0 : bytes / spans.length;
    for (const span of spans) {
      if (this.#droppedTraces.has(span.traceId)) {
        this.#dropped += 1;
        continue;
      }
      const trace = this.#traces.get(span.traceId) ?? { spans: [], bytes: 0 };
      trace.spans.push(span);
      trace.bytes += share;
      this.#traces.set(span.traceId, trace);
      this.#spans += 1;
      this.#bytes += share;
    }
    while (this.#spans > this.#limits.maxSpans || this.#bytes > this.#limits.maxBytes) this.#dropOldest();
  }

  trace(traceId: string): readonly Span[] {
    return [...(this.#traces.get(traceId)?.spans ?? [])];
  }

  all(): readonly Span[] {
    return [...this.#traces.values()].flatMap((trace) => trace.spans);
  }

  #remember(traceId: string): void {
    this.#droppedTraces.add(traceId);
    if (this.#droppedTraces.size <= maxDroppedTraces) return;
    for (const oldest of this.#droppedTraces) {
      this.#droppedTraces.delete(oldest);
      return;
    }
  }

  #dropOldest(): void {
    for (const [traceId, { spans, bytes }] of this.#traces) {
      this.#traces.delete(traceId);
      this.#remember(traceId);
      this.#spans -= spans.length;
      this.#bytes -= bytes;
      this.#dropped += spans.length;
      return;
    }
    this.#bytes = 0;
  }
}
