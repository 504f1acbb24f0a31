import type { Span } from '../span/span.ts';
import { selectTraces } from './select-spans.ts';
import type { Source, TraceQuery } from './source.ts';

/** Traces that are in memory at a time, as answer and as spans. */
const pageSize = 200;
/** So full a page is meant to be: a full one may have left traces out. */
const targetShare = 0.5;
/** From one window to the next the density of traces changes. */
const mostGrowth = 4;
/** Milliseconds. Tempo takes whole seconds. */
const narrowest = 1_000;

/** The source has searched already, and may mean by a time more than the start of a span. */
const anyTrace = { service: null, startTimeMin: 0, startTimeMax: Number.MAX_SAFE_INTEGER } as const;

/**
 * The traces of a search, the newest first, a page at a time. A window of time whose page comes full is narrowed and asked for again, so
 * that the order of a page does not matter.
 */
export async function* searchPages(
  source: Source,
  query: TraceQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly Span[]> {
  if (query.limit <= pageSize || source.isInMemory === true) {
    yield await source.searchTraces(query, signal);
    return;
  }
  const seen = new Set<string>();
  let to = query.startTimeMax;
  let width = to - query.startTimeMin;
  let size = pageSize;
  while (seen.size < query.limit) {
    const from = Math.max(query.startTimeMin, to - width);
    const found = await source.searchTraces(
      { ...query, startTimeMin: from, startTimeMax: to, limit: size },
      signal,
    );
    const count = new Set(found.map(({ traceId }) => traceId)).size;
    if (count >= size && (width > narrowest || size < query.limit)) {
      if (width > narrowest) width = Math.max(narrowest, Math.floor((to - from) / 2));
      else size *= 2;
      continue;
    }
    const fresh = found.filter(({ traceId }) => !seen.has(traceId));
    const page = selectTraces(fresh, { ...anyTrace, limit: query.limit - seen.size });
    for (const { traceId } of page) seen.add(traceId);
    if (page.length > 0) yield page;
    if (from <= query.startTimeMin) return;
    // The edge is in both windows: times are finer than a millisecond.
    to = from;
    const growth = Math.min(mostGrowth, (pageSize * targetShare) / Math.max(1, count));
    width = Math.max(narrowest, Math.floor(width * growth));
    size = pageSize;
  }
}
