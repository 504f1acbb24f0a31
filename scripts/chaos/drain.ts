import { setTimeout as delay } from 'node:timers/promises';
import { mapConcurrently } from '../../propagation-check/src/assertion/map-concurrently.ts';
import { type Source, SourceError } from '../../propagation-check/src/source/source.ts';
import type { Span } from '../../propagation-check/src/span.ts';

export interface DrainOptions {
  readonly source: Source;
  /** Span ids by trace id. */
  readonly expected: ReadonlyMap<string, ReadonlySet<string>>;
  /** Waiting ends when nothing new has arrived for so long. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface Drain {
  /** On the clock of `performance.now()`: when the last span that arrived was seen. */
  readonly lastArrival: number;
  /** Traces of which a span has not arrived. */
  readonly missing: number;
}

const readers = 8;
/** What comes first leaves first: behind so many traces that are not there yet, no others need be asked for. */
const missesPerPass = 100;
const pauseMs = 250;

/** Reads traces, oldest first, until every expected span is there or nothing new arrives any more. */
export async function awaitSpans({ source, expected, patienceMs, signal }: DrainOptions): Promise<Drain> {
  const pending = new Map([...expected.keys()].map((traceId) => [traceId, 0]));
  let lastArrival = performance.now();
  let cursor = 0;

  while (pending.size > 0 && performance.now() - lastArrival < patienceMs) {
    const traceIds = [...pending.keys()];
    // Begins behind those that were missing the last time, so that lost ones do not hide others for long.
    const ahead = [...traceIds.slice(cursor), ...traceIds.slice(0, cursor)];
    let misses = 0;
    let scanned = 0;
    for (let batch = ahead.splice(0, readers); batch.length > 0; batch = ahead.splice(0, readers)) {
      const counts = await countArrived(source, batch, expected, signal);
      scanned += batch.length;
      for (const [traceId, count] of counts) {
        if (count > (pending.get(traceId) ?? 0)) lastArrival = performance.now();
        if (count === expected.get(traceId)?.size) pending.delete(traceId);
        else {
          pending.set(traceId, count);
          misses += 1;
        }
      }
      if (counts.size < batch.length || misses >= missesPerPass) break;
    }
    cursor = scanned >= traceIds.length ? 0 : (cursor + misses) % Math.max(pending.size, 1);
    if (pending.size > 0) await delay(pauseMs, undefined, { signal });
  }
  return { lastArrival, missing: pending.size };
}

/** How many of the expected spans of each trace are there. Traces that cannot be read now, because Jaeger restarts, are left out. */
async function countArrived(
  source: Source,
  traceIds: readonly string[],
  expected: DrainOptions['expected'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  await mapConcurrently(traceIds, readers, async (traceId) => {
    try {
      const ids = new Set((await source.readTrace(traceId, signal)).map(({ spanId }) => spanId));
      counts.set(traceId, ids.intersection(expected.get(traceId) ?? new Set()).size);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
    }
  });
  return counts;
}

/**
 * Every span of the traces, each as often as Jaeger answers with it.
 * @throws {SourceError}
 */
export async function readTraces(
  source: Source,
  traceIds: readonly string[],
  signal: AbortSignal,
): Promise<readonly Span[]> {
  const traces = await mapConcurrently(traceIds, readers, (traceId) => source.readTrace(traceId, signal));
  return traces.flat();
}
