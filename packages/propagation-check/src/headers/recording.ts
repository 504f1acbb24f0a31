import type { TraceGraph } from '../graph/trace-graph.ts';
import { namesProcess } from '../span/instance.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { type SpanStore, spanIdOf, textOf, valueAt } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import type { PropagationFormat } from './evidence.ts';
import { formatOfIdHeader, formats } from './propagation-header.ts';
import { listFormats, readHeaderName } from './recorded-headers.ts';

/** An instrumentation's setting that records headers, as the other spans that it made show it. */
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
  /** Null where other spans like this one have no such headers, or contradictory ones. */
  readonly gap: RecordingGap | null;
}

/**
 * Why headers that other spans have do not show that this one's request had none: another process may have made it, as its resource names
 * none, or it is from before the first of them.
 */
export type RecordingGap = 'process' | 'time';

const nothing: Recording = { isAsSent: false, formats: new Set(), answers: false, gap: null };

/** Headers that one instrumentation of one process recorded on its spans of one kind. */
interface Source {
  /** When the first span began that has the header, for each header. */
  readonly since: Map<string, bigint>;
  /** When the first call began whose record has its own span id: it was taken after the header was written, and not before. */
  sendsSince: bigint | null;
  /** A request is known to have carried a context, and its span has no id header: not every process or time has the setting. */
  isPartial: boolean;
}

function isCall(kind: number): boolean {
  return kind === kindNumber.client || kind === kindNumber.producer;
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
    // Replicas behind one resource may differ in their settings.
    const hasId = [...source.since.keys()].some((name) => formatOfIdHeader(name) !== null);
    const isOfCall = isCall(store.kinds[row] ?? 0);
    const tells = isOfCall ? isAsSent : hasId;
    if (source.isPartial || !namesProcess(span.resource))
      return { ...nothing, isAsSent, gap: tells && !source.isPartial ? 'process' : null };
    const isKnown = (since: bigint): boolean => since < span.startTimeUnixNano;
    const known = [...source.since].filter(([, since]) => isKnown(since)).map(([name]) => name);
    const ofCall = source.sendsSince !== null && isKnown(source.sendsSince) ? formats : [];
    // A process has one propagator: what it sends with other calls it would send with this one.
    const told = isOfCall ? new Set(ofCall) : listFormats(known);
    return {
      gap: tells && told.size === 0 ? 'time' : null,
      isAsSent,
      formats: told,
      answers: known.some((name) => formatOfIdHeader(name) === null),
    };
  };
}

function sourceOf({ store }: TraceGraph, row: number): string {
  return keyFor(store.resources[row] ?? 0, store.scopes[row] ?? 0, store.kinds[row] ?? 0);
}

function listSources(graph: TraceGraph): ReadonlyMap<string, Source> {
  const { store } = graph;
  const headers = listHeaders(store);
  const sources = new Map<string, Source>();
  if (headers.size === 0) return sources;
  const carried = findCarried(graph);
  for (let row = 0; row < store.size; row += 1) {
    if (!graph.has(row) || (!isCall(store.kinds[row] ?? 0) && !graph.isEntry(row))) continue;
    const recorded = headers.get(store.shapes[row] ?? 0) ?? [];
    if (recorded.length === 0 && carried[row] === 0) continue;
    const key = sourceOf(graph, row);
    const source = sources.get(key) ?? { since: new Map(), sendsSince: null, isPartial: false };
    sources.set(key, source);
    const start = graph.startTimeOf(row);
    let hasId = false;
    let hasOwnId = false;
    for (const { name, place } of recorded) {
      source.since.set(name, earlier(source.since.get(name) ?? null, start));
      if (formatOfIdHeader(name) === null) continue;
      const value = String(valueAt(store, row, place));
      hasId ||= value !== '' && value !== '[]';
      hasOwnId ||= value.toLowerCase().includes(spanIdOf(store, row));
    }
    if (hasOwnId) source.sendsSince = earlier(source.sendsSince, start);
    if (!hasId && carried[row] === 1) source.isPartial = true;
  }
  return sources;
}

/** Marks the rows of calls and requests that are known to have carried a context: the other side continued it, or was named. */
function findCarried(graph: TraceGraph): Uint8Array {
  const { store, parents } = graph;
  const carried = new Uint8Array(store.size);
  for (let row = 0; row < store.size; row += 1) {
    if (!graph.has(row) || !graph.isEntry(row)) continue;
    const parent = parents[row] ?? -1;
    const isElsewhere = parent >= 0 && store.resources[parent] !== store.resources[row];
    if (isElsewhere) carried[parent] = 1;
    if (isElsewhere || graph.isParentRemote(row)) carried[row] = 1;
  }
  return carried;
}

/** A header that an attribute records, and the attribute's place in its shape. */
interface RecordedHeader {
  readonly name: string;
  readonly place: number;
}

/** By shape; of the shapes with any. */
function listHeaders(store: SpanStore): ReadonlyMap<number, readonly RecordedHeader[]> {
  const nameOf = rememberOf((key: number) => {
    const text = textOf(store, key);
    return readHeaderName(text, 'request') ?? readHeaderName(text, 'response');
  });
  const { starts, keys } = store.shapeTable;
  const headers = new Map<number, RecordedHeader[]>();
  for (let shape = 0; shape + 1 < starts.length; shape += 1) {
    for (const [place, key] of keys.subarray(starts[shape], starts[shape + 1]).entries()) {
      const name = nameOf(key);
      if (name !== null) headers.set(shape, [...(headers.get(shape) ?? []), { name, place }]);
    }
  }
  return headers;
}

/** Whether any span has a header of a request or an answer. */
export function recordsHeaders(store: SpanStore): boolean {
  return listHeaders(store).size > 0;
}

function earlier(known: bigint | null, time: bigint): bigint {
  return known === null || time < known ? time : known;
}
