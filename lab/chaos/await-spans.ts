import { setTimeout as delay } from 'node:timers/promises';
import { type Source, SourceError, type Span } from 'propagation-check';
import { mapConcurrently } from 'propagation-check/kit';

export interface AwaitOptions {
  readonly source: Source;
  /** Span ids by trace id. */
  readonly expected: ReadonlyMap<string, ReadonlySet<string>>;
  /** Waiting ends when nothing new has arrived for so long. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface Arrived {
  /** On the clock of `performance.now()`: when the last span that was not there at first was seen; null where there was none. */
  readonly lastArrival: number | null;
  /** Every span of these traces, each as often as Jaeger answered with it when its trace was read last. */
  readonly found: readonly Span[];
}

const readers = 24;
/** Traces that are asked for before what is missing among them is counted. */
const batchSize = 96;
/** Traces are delivered in order: after so many missing ones, the later ones need not be queried. */
const missesPerPass = 96;
const pauseMs = 500;

/**
 * Reads traces, oldest first, until every expected span is there or nothing new arrives any more.
 * @throws {SourceError} when a trace could not be read until then.
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
    // Begins behind those that were missing the last time, so that lost ones do not hide others for long.
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
  // Behind many that are lost for good, some may not have been asked for, or only early.
  const last = await readWhatIsThere(source, [...pending.keys()], signal, (error) => {
    failure = error;
  });
  for (const [traceId, spans] of last) latest.set(traceId, spans);
  if (failure !== null && latest.size < expected.size) throw failure;
  return { lastArrival, found: [...latest.values()].flat() };
}

/** The traces that can be read now: none while Jaeger restarts. */
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
