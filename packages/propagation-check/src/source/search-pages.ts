import type { Span } from '../span/span.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';
import { selectTraces } from './select-spans.ts';
import type { Source, TraceQuery } from './source.ts';

/** The most traces of a page, which is in memory as an answer and as spans. Only a second with more traces makes a larger page. */
const pageSize = 200;
/** The share of a page that a window should fill: a full page may have left traces out. */
const targetShare = 0.5;
/** Pages of fewer traces are not suspected to be cut short by the server. */
const fewestCapped = 20;
/** The largest growth of a window from one page to the next, because the density of traces changes. */
const mostGrowth = 4;
/** In milliseconds: Tempo accepts only whole seconds. */
const narrowest = 1_000;

/** The source has already applied the time range, and may compare it with other times than the start of a span. */
const anyTrace = { service: null, startTimeMin: 0, startTimeMax: Number.MAX_SAFE_INTEGER } as const;

/**
 * Yields the traces of a search page by page, the newest first. A time window whose page is full is narrowed and searched again, so the
 * order within a page does not matter.
 * @param onCut Called with the start of a narrowest window, in milliseconds, of which the server answers only a part.
 */
export async function* searchPages(
  source: Source,
  query: TraceQuery,
  signal: AbortSignal,
  onCut: (from: number) => void = () => {},
): AsyncGenerator<readonly Span[]> {
  if (query.limit <= pageSize || source.isInMemory === true) {
    yield await source.searchTraces(query, signal);
    return;
  }
  const seen = new Set<string>();
  let to = query.startTimeMax;
  let width = to - query.startTimeMin;
  let size = pageSize;
  // Some servers limit an answer further and do not say so: then traces before the oldest of a page are missing from it.
  let cap = Infinity;
  let largestWhole = fewestCapped;
  while (seen.size < query.limit) {
    const from = Math.max(query.startTimeMin, to - width);
    const window = { ...query, startTimeMin: from, startTimeMax: to, limit: size };
    const isFull = (count: number) =>
      width > narrowest ? count >= Math.min(size, cap) : count >= size && size < query.limit;
    // A page that is thrown away need not be read where its ids tell how full it is.
    const ids = await source.searchIds?.(window, signal);
    const found = ids !== undefined && isFull(ids.length) ? [] : await source.searchTraces(window, signal);
    const starts = listStarts(found);
    const count = Math.max(starts.length, ids?.length ?? 0);
    if (!isFull(count) && count >= largestWhole && count < cap) {
      const known = new Set([...(ids ?? []), ...found.map(({ traceId }) => traceId)]);
      if (await lacks(source, known, { ...window, startTimeMax: starts[0] ?? from }, signal)) cap = count;
      else largestWhole = count;
    }
    if (isFull(count)) {
      if (width > narrowest) width = Math.max(narrowest, narrow(starts, from, to));
      else size *= 2;
      continue;
    }
    if (count >= cap) onCut(from);
    const fresh = found.filter(({ traceId }) => !seen.has(traceId));
    const page = selectTraces(fresh, { ...anyTrace, limit: query.limit - seen.size });
    for (const { traceId } of page) seen.add(traceId);
    if (page.length > 0) yield page;
    if (from <= query.startTimeMin) return;
    // Both windows contain the boundary, because times are finer than a millisecond.
    to = from;
    const growth = Math.min(mostGrowth, (pageSize * targetShare) / Math.max(1, count));
    width = Math.max(narrowest, Math.floor(width * growth));
    // Where the narrowest windows have more than a page, the next ones have so too.
    if (count < pageSize) size = pageSize;
  }
}

/** Whether a window has traces beside the known ones. */
async function lacks(
  source: Source,
  known: ReadonlySet<string>,
  window: TraceQuery,
  signal: AbortSignal,
): Promise<boolean> {
  if (window.startTimeMax <= window.startTimeMin) return false;
  const ids =
    (await source.searchIds?.(window, signal)) ??
    (await source.searchTraces(window, signal)).map(({ traceId }) => traceId);
  return ids.some((id) => !known.has(id));
}

/** The start of each trace in milliseconds, in order. */
function listStarts(spans: readonly Span[]): readonly number[] {
  const starts = new Map<string, number>();
  for (const { traceId, startTimeUnixNano } of spans) {
    const start = toMilliseconds(startTimeUnixNano);
    starts.set(traceId, Math.min(start, starts.get(traceId) ?? start));
  }
  return [...starts.values()].sort((one, other) => one - other);
}

/** Half of the window, or less: a source that answers the newest traces shows how dense they are at its end. */
function narrow(starts: readonly number[], from: number, to: number): number {
  const median = starts[starts.length >> 1] ?? from;
  return Math.floor(Math.min((to - from) / 2, Math.max(0, to - median)));
}
