import { describeCuts } from '../source/describe-cuts.ts';
import { searchPages } from '../source/search-pages.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { mapConcurrently } from '../util/map-concurrently.ts';
import type { AuditContext, AuditSource, TimeWindow, WindowCoverage } from './audit-source.ts';
import { selectWindow } from './select-window.ts';

/** How many searches run at once: each page is decoded before the next one of its service is asked for. */
const concurrency = 4;
/** The first slice as a share of the window. */
const firstShare = 1 / 16;
/** Each slice aims at this share of the limit. */
const targetShare = 1 / 8;
/** The most that a slice may grow or shrink: the density of traces changes with time. */
const mostGrowth = 4;
/** Where this share of the limit is used, a slice that does not fit ends the search. */
const enoughShare = 1 / 2;
/** The shortest slice in milliseconds: Tempo takes whole seconds. */
const narrowest = 1_000;

export interface SearchSourceOptions extends Pick<AuditContext, 'judge'> {
  /** The most traces that one window reads. */
  readonly limit: number;
  readonly onProgress: (search: SearchProgress) => void;
}

export interface SearchProgress {
  readonly traces: number;
  /** The part of the window that was read, from 0 to 1. */
  readonly share: number;
}

/** A source that reads Jaeger or Tempo: traces of every service, in pages. */
export function createSearchSource(source: Source, options: SearchSourceOptions): AuditSource {
  return {
    name: source.name,
    readWindow: async (window, signal) => {
      const { writer, from, cuts } = await searchWindow(source, window, options, signal);
      const store = selectWindow(writer.finish(), { ...window, from });
      return {
        result: options.judge(store),
        seen: describeSeen(source.name, window, { from, cuts }, options.limit),
        store,
      };
    },
    close: () => source.close(),
  };
}

interface Search {
  readonly writer: SpanWriter;
  /** Everything from this time to the end of the window was read. */
  readonly from: number;
  /** The starts of seconds of which the source answered only a part, in milliseconds. */
  readonly cuts: readonly number[];
}

/**
 * Reads slices of the window, the newest first, each completely: what was read has no gaps. A slice with more traces than the limit allows is
 * narrowed, or ends the search.
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
  const cuts: number[] = [];
  const length = window.to - window.from;
  let to = window.to;
  let width = Math.max(narrowest, length * firstShare);
  while (to > window.from) {
    const from = Math.max(window.from, to - width);
    const mark = writer.mark();
    const found = await readSlice(
      { source, services, from, to, room: limit - seen.size, onCut: (at) => void cuts.push(at) },
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
  return { writer, from: to, cuts };
}

interface Slice {
  readonly source: Source;
  readonly services: readonly (string | null)[];
  readonly from: number;
  readonly to: number;
  /** How many traces may be added. */
  readonly room: number;
  readonly onCut: (from: number) => void;
}

/** Adds the traces of a slice that are not in `seen`. @returns Their ids; null where there are more than `room`. */
async function readSlice(
  { source, services, from, to, room, onCut }: Slice,
  writer: SpanWriter,
  seen: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  const found = new Set<string>();
  // A search that fails ends the others.
  const ended = new AbortController();
  const open = AbortSignal.any([signal, ended.signal]);
  await mapConcurrently(services, concurrency, async (service) => {
    // One trace more than there is room for shows that the slice has more.
    const query = { service, startTimeMin: from, startTimeMax: to, limit: room + 1 };
    if (found.size > room) return;
    for await (const page of searchPages(source, query, open, onCut)) {
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

function describeSeen(
  name: string,
  window: TimeWindow,
  { from, cuts }: Pick<Search, 'from' | 'cuts'>,
  limit: number,
): WindowCoverage {
  const cut = describeCuts(name, cuts);
  if (from <= window.from) return { complete: cut.length === 0, says: cut.join('; ') };
  const share = (window.to - from) / (window.to - window.from);
  const read = from === window.to ? 'nothing' : `${Math.max(1, Math.floor(share * 100))} %`;
  return {
    complete: false,
    says: [
      `${read} of the window was read, from ${new Date(from).toISOString()} on: ` +
        `it has more than ${limit} traces (--limit)`,
      ...cut,
    ].join('; '),
  };
}
