import { setTimeout as delay } from 'node:timers/promises';
import { type Source, SourceError, type Span } from 'propagation-check';
import { mapConcurrently } from 'propagation-check/kit';

export interface AwaitOptions {
  readonly source: Source;
  /** Span ids by trace id. */
  readonly expected: ReadonlyMap<string, ReadonlySet<string>>;
  /** Waiting ends when no new span has arrived for this long. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface Arrived {
  /** When a trace that had been read before last gained an expected span, on the clock of `performance.now()`; null when none did. */
  readonly lastArrival: number | null;
  /** Every span of these traces, with the duplicates that Jaeger returned when the trace was last read. */
  readonly found: readonly Span[];
}

const readers = 24;
/** Number of traces that are read before the incomplete ones among them are counted. */
const batchSize = 96;
/** Traces are delivered in order, so a pass ends after this many incomplete traces: later ones are unlikely to be there. */
const missesPerPass = 96;
const pauseMs = 500;

/**
 * Reads traces, oldest first, until every expected span is there or nothing new arrives any more.
 * @throws {SourceError} when a trace could not be read by then.
 */
export async function awaitSpans({ source, expected, patienceMs, signal }: AwaitOptions): Promise<Arrived> {
  const pending = new Map([...expected.keys()].map((traceId) => [traceId, 0]));
  const latest = new Map<string, readonly Span[]>();
  let progress = performance.now();
  let lastArrival: number | null = null;
  let cursor = 0;
  let failure: SourceError | null = null;

  while (pending.size > 0 && performance.now() - progress < patienceMs) {
    const traceIds = [...pending.keys()];
    // Each pass starts after the incomplete traces of the pass before, so that lost traces do not keep later ones from being read.
    const ahead = [...traceIds.slice(cursor), ...traceIds.slice(0, cursor)];
    let misses = 0;
    let scanned = 0;
    for (let batch = ahead.splice(0, batchSize); batch.length > 0; batch = ahead.splice(0, batchSize)) {
      const traces = await readWhatIsThere(source, batch, signal, (error) => {
        failure = error;
      });
      scanned += batch.length;
      for (const [traceId, spans] of traces) {
        const isNew = !latest.has(traceId);
        latest.set(traceId, spans);
        const ids = new Set(spans.map(({ spanId }) => spanId));
        const count = ids.intersection(expected.get(traceId) ?? new Set()).size;
        if (count > (pending.get(traceId) ?? 0)) {
          progress = performance.now();
          if (!isNew) lastArrival = progress;
        }
        if (count === expected.get(traceId)?.size) pending.delete(traceId);
        else {
          pending.set(traceId, count);
          misses += 1;
        }
      }
      if (traces.size < batch.length || misses >= missesPerPass) break;
    }
    cursor = scanned >= traceIds.length ? 0 : (cursor + misses) % Math.max(pending.size, 1);
    if (pending.size > 0) await delay(pauseMs, undefined, { signal });
  }
  // When many traces are lost, later traces may never have been read, or not recently: read all incomplete ones once more.
  const last = await readWhatIsThere(source, [...pending.keys()], signal, (error) => {
    failure = error;
  });
  for (const [traceId, spans] of last) latest.set(traceId, spans);
  if (failure !== null && latest.size < expected.size) throw failure;
  return { lastArrival, found: [...latest.values()].flat() };
}

/** Reads the traces that can be read now; there are none while Jaeger restarts. */
async function readWhatIsThere(
  source: Source,
  traceIds: readonly string[],
  signal: AbortSignal,
  onFailure: (error: SourceError) => void,
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const traces = new Map<string, readonly Span[]>();
  await mapConcurrently(traceIds, readers, async (traceId) => {
    try {
      traces.set(traceId, await source.readTrace(traceId, signal));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      onFailure(error);
    }
  });
  return traces;
}
