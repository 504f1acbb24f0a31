import type { TraceGraph } from '../graph/trace-graph.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { keysOf, spanIdOf, textOf } from '../span/span-store.ts';
import { isRaw } from '../span/value-table.ts';
import { keyFor } from '../util/group-by.ts';
import type { PropagationFormat } from './evidence.ts';
import { formatOfIdHeader, formats } from './propagation-header.ts';
import { listFormats, readHeaderName } from './recorded-headers.ts';

/** What is known of an instrumentation's setting that records headers, by the other spans that it made. */
export interface Recording {
  /**
   * Whether a record of a request is what went out. Several instrumentations record the headers of a call before they write their own (Java
   * agent, `HttpCommonAttributesExtractor.onStart`; Python, `requests/__init__.py`; PHP, `Psr18Instrumentation.php`), so that only what somebody
   * wrote by hand is there, and maybe is overwritten.
   */
  readonly isAsSent: boolean;
  /** The formats whose absence from the request of a span means that none came. */
  readonly formats: ReadonlySet<PropagationFormat>;
  /** Whether the headers of answers are recorded that name a span. */
  readonly answers: boolean;
}

const nothing: Recording = { isAsSent: false, formats: new Set(), answers: false };

/** What one instrumentation of one process recorded on its spans of one kind. */
interface Source {
  /** When the first span began that has the header, for each header. */
  readonly since: Map<string, bigint>;
  /** When the first call began whose record has its own span id: it was taken after the header was written, and not before. */
  sendsSince: bigint | null;
  /** A request is known to have carried a context, and its span has no id header: not every process or time has the setting. */
  isPartial: boolean;
}

const calls = [spanKinds.indexOf('CLIENT'), spanKinds.indexOf('PRODUCER')];

function isCall(kind: number): boolean {
  return calls.includes(kind);
}

/**
 * Learns from all spans what each instrumentation records: the same resource, scope and kind have the same setting. It counts from the
 * first span that shows it, because settings change when a process starts anew, and nowhere where spans contradict each other.
 * Reads all spans once, at the first question.
 */
export function learnRecording(graph: TraceGraph): (span: Span) => Recording {
  let sources: ReadonlyMap<string, Source> | null = null;
  return (span) => {
    const { store } = graph;
    const row = graph.rowOf(span);
    if (row < 0) return nothing;
    sources ??= listSources(graph);
    const source = sources.get(sourceOf(graph, row));
    if (source === undefined) return nothing;
    const isAsSent = source.sendsSince !== null;
    if (source.isPartial) return { ...nothing, isAsSent };
    const isKnown = (since: bigint): boolean => since < span.startTimeUnixNano;
    const known = [...source.since].filter(([, since]) => isKnown(since)).map(([name]) => name);
    return {
      isAsSent,
      formats: isCall(store.kinds[row] ?? 0)
        ? // A process has one propagator: what it sends with other calls it would send with this one.
          new Set(source.sendsSince !== null && isKnown(source.sendsSince) ? formats : [])
        : listFormats(known),
      answers: known.some((name) => formatOfIdHeader(name) === null),
    };
  };
}

function sourceOf({ store }: TraceGraph, row: number): string {
  return keyFor(store.resources[row] ?? 0, store.scopes[row] ?? 0, store.kinds[row] ?? 0);
}

function listSources(graph: TraceGraph): ReadonlyMap<string, Source> {
  const { store } = graph;
  const nameOf = rememberNames(graph);
  const carried = findCarried(graph);
  const sources = new Map<string, Source>();
  for (let row = 0; row < store.size; row += 1) {
    if (!graph.has(row) || (!isCall(store.kinds[row] ?? 0) && !graph.isEntry(row))) continue;
    const key = sourceOf(graph, row);
    const source = sources.get(key) ?? { since: new Map(), sendsSince: null, isPartial: false };
    sources.set(key, source);
    const start = graph.startTimeOf(row);
    let hasId = false;
    let hasOwnId = false;
    const first = store.attributeStarts[row] ?? 0;
    for (const [place, key] of keysOf(store, row).entries()) {
      const name = nameOf(key);
      if (name === null) continue;
      source.since.set(name, earlier(source.since.get(name) ?? null, start));
      if (formatOfIdHeader(name) === null) continue;
      const value = String(store.values.decode(store.attributeValues[first + place] ?? 0));
      hasId ||= value !== '' && value !== '[]';
      hasOwnId ||= value.toLowerCase().includes(spanIdOf(store, row));
    }
    if (hasOwnId) source.sendsSince = earlier(source.sendsSince, start);
    if (!hasId && carried.has(row)) source.isPartial = true;
  }
  return sources;
}

/** The rows of calls and requests that are known to have carried a context: the other side continued it, or was named. */
function findCarried(graph: TraceGraph): ReadonlySet<number> {
  const { store, parents } = graph;
  const carried = new Set<number>();
  for (let row = 0; row < store.size; row += 1) {
    if (!graph.has(row) || !graph.isEntry(row)) continue;
    const parent = parents[row] ?? -1;
    const isElsewhere = parent >= 0 && store.resources[parent] !== store.resources[row];
    if (isElsewhere) carried.add(parent);
    if (isElsewhere || graph.isParentRemote(row)) carried.add(row);
  }
  return carried;
}

/** The header that an attribute key records, by the number of the key; null for any other. */
function rememberNames({ store }: TraceGraph): (key: number) => string | null {
  const names = new Map<number, string | null>();
  return (key) => {
    const known = names.get(key);
    if (known !== undefined) return known;
    const text = textOf(store, key);
    const name = readHeaderName(text, 'request') ?? readHeaderName(text, 'response');
    if (!isRaw(key)) names.set(key, name);
    return name;
  };
}

function earlier(known: bigint | null, time: bigint): bigint {
  return known === null || time < known ? time : known;
}
