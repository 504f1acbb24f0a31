import { searchPages } from '../source/search-pages.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { mapConcurrently } from '../util/map-concurrently.ts';
import type { AuditContext, AuditSource, TimeWindow, WindowCoverage } from './audit-source.ts';
import { selectWindow } from './select-window.ts';

/** Pages that are asked for at a time: each is decoded before the next of its service. */
const concurrency = 4;
/** The first slice is this share of a window. */
const firstShare = 1 / 16;
/** The share of the limit that a slice is meant to find. */
const targetShare = 1 / 8;
/** The density of traces changes with time. */
const mostGrowth = 4;
/** A slice that finds no room is the end where this share of the limit is read. */
const enoughShare = 1 / 2;
/** Milliseconds. Tempo takes whole seconds. */
const narrowest = 1_000;

export interface SearchSourceOptions extends Pick<AuditContext, 'judge'> {
  /** Traces that one window reads at most. */
  readonly limit: number;
  readonly onProgress: (search: SearchProgress) => void;
}

export interface SearchProgress {
  readonly traces: number;
  /** Of the window, from 0 to 1. */
  readonly share: number;
}

/** Jaeger and Tempo: traces of every service, in pages. */
export function createSearchSource(source: Source, options: SearchSourceOptions): AuditSource {
  return {
    name: source.name,
    readWindow: async (window, signal) => {
      const { writer, from } = await searchWindow(source, window, options, signal);
      const store = selectWindow(writer.finish(), { ...window, from });
      return { result: options.judge(store), seen: describeSeen(window, from, options.limit), store };
    },
    close: () => source.close(),
  };
}

interface Search {
  readonly writer: SpanWriter;
  /** Everything after it was read. */
  readonly from: number;
}

/**
 * Reads slices of the window, the newest first, each whole: what is read is a window without gaps. A slice with more traces than the limit
 * leaves is narrowed, or is the end.
 */
async function searchWindow(
  source: Source,
  window: TimeWindow,
  { limit, onProgress }: SearchSourceOptions,
  signal: AbortSignal,
): Promise<Search> {
  const services = (await source.listServices?.(signal)) ?? [null];
  const writer = new SpanWriter();
  const seen = new Set<string>();
  const length = window.to - window.from;
  let to = window.to;
  let width = Math.max(narrowest, length * firstShare);
  while (to > window.from) {
    const from = Math.max(window.from, to - width);
    const mark = writer.mark();
    const found = await readSlice(
      { source, services, from, to, room: limit - seen.size },
      writer,
      seen,
      signal,
    );
    if (found === null) {
      writer.rollBack(mark);
      if (width <= narrowest || seen.size > limit * enoughShare) break;
      width = Math.max(narrowest, Math.floor(width / mostGrowth));
      continue;
    }
    for (const id of found) seen.add(id);
    to = from;
    const growth = Math.min(mostGrowth, (limit * targetShare) / Math.max(1, found.size));
    width = Math.max(narrowest, Math.floor(width * growth));
    onProgress({ traces: seen.size, share: (window.to - to) / length });
  }
  return { writer, from: to };
}

interface Slice {
  readonly source: Source;
  readonly services: readonly (string | null)[];
  readonly from: number;
  readonly to: number;
  /** Traces that may be added. */
  readonly room: number;
}

/** Adds the traces of a slice that nobody has seen. @returns their ids; null where they are more than there is room for. */
async function readSlice(
  { source, services, from, to, room }: Slice,
  writer: SpanWriter,
  seen: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  const found = new Set<string>();
  // A question that fails ends the others.
  const ended = new AbortController();
  const open = AbortSignal.any([signal, ended.signal]);
  await mapConcurrently(services, concurrency, async (service) => {
    // One more than there is room for shows that there are more.
    const query = { service, startTimeMin: from, startTimeMax: to, limit: room + 1 };
    if (found.size > room) return;
    for await (const page of searchPages(source, query, open)) {
      for (const [id, spans] of groupByTrace(page)) {
        if (seen.has(id) || found.has(id)) continue;
        found.add(id);
        for (const span of spans) writer.addSpan(span);
      }
      if (found.size > room) return;
    }
  }).finally(() => ended.abort());
  return found.size > room ? null : found;
}

function describeSeen(window: TimeWindow, from: number, limit: number): WindowCoverage {
  if (from <= window.from) return { complete: true, says: '' };
  const share = (window.to - from) / (window.to - window.from);
  const read = from === window.to ? 'nothing' : `${Math.max(1, Math.floor(share * 100))} %`;
  return {
    complete: false,
    says:
      `${read} of the window was read, from ${new Date(from).toISOString()} on: ` +
      `it has more than ${limit} traces (--limit)`,
  };
}
