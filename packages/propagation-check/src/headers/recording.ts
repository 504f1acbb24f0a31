import type { TraceGraph } from '../graph/trace-graph.ts';
import { namesProcess } from '../span/instance.ts';
import { isCallKind, type Span } from '../span/span.ts';
import { type SpanStore, spanIdOf, textOf, valueAt } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import { earlier } from '../util/statistics.ts';
import type { PropagationFormat } from './evidence.ts';
import { formatOfIdHeader, formats } from './propagation-header.ts';
import { listFormats, readHeaderName } from './recorded-headers.ts';

/** What an instrumentation is configured to record, inferred from its other spans. */
export interface Recording {
  /**
   * Whether recorded request headers are those that were sent. Several instrumentations record the headers of a call before they inject
   * their own (Java agent, `HttpCommonAttributesExtractor.onStart`; Python, `requests/__init__.py`; PHP, `Psr18Instrumentation.php`): such a
   * record has only headers that other code set, which injection may overwrite.
   */
  readonly isAsSent: boolean;
  /** The formats whose absence from a span's record means that the request had no such header. */
  readonly formats: ReadonlySet<PropagationFormat>;
  /** Whether the headers of answers that name a span are recorded. */
  readonly answers: boolean;
  /** Null if other spans of the same source have no such headers, or contradictory ones. */
  readonly gap: RecordingGap | null;
}

/**
 * Why headers recorded on other spans do not show that this request had none: another process may have made the span (`process`: its
 * resource names none), or the span is older than the first record (`time`).
 */
export type RecordingGap = 'process' | 'time';

const nothing: Recording = { isAsSent: false, formats: new Set(), answers: false, gap: null };

/** The headers that one instrumentation of one process records on its spans of one kind. */
interface Source {
  /** By header: the start of the first span that records it. */
  readonly since: Map<string, bigint>;
  /** The start of the first call whose record has its own span id, which proves that it was made after injection. */
  sendsSince: bigint | null;
  /**
   * Some request is known to have carried a context although its span records no id header: not every process, or not at every time, is
   * configured alike.
   */
  isPartial: boolean;
}

/**
 * Learns from all spans what each instrumentation records: spans with the same resource, scope and kind have the same configuration. It
 * holds from the first span that shows it, because a restarted process may be configured differently, and not at all if spans contradict
 * each other. The first call reads all spans.
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
    const hasId = [...source.since.keys()].some((name) => formatOfIdHeader(name) !== null);
    const isOfCall = isCallKind(store.kinds[row]);
    const recordsIds = isOfCall ? isAsSent : hasId;
    // Replicas behind one resource may be configured differently.
    if (source.isPartial || !namesProcess(span.resource))
      return { ...nothing, isAsSent, gap: recordsIds && !source.isPartial ? 'process' : null };
    const isKnown = (since: bigint): boolean => since < span.startTimeUnixNano;
    const known = [...source.since].filter(([, since]) => isKnown(since)).map(([name]) => name);
    const ofCall = source.sendsSince !== null && isKnown(source.sendsSince) ? formats : [];
    // A process has one propagator: what it sends with other calls it would send with this call.
    const recorded = isOfCall ? new Set(ofCall) : listFormats(known);
    return {
      gap: recordsIds && recorded.size === 0 ? 'time' : null,
      isAsSent,
      formats: recorded,
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
    if (!graph.has(row) || (!isCallKind(store.kinds[row]) && !graph.isEntry(row))) continue;
    const recorded = headers.get(store.shapes[row] ?? 0) ?? [];
    if (recorded.length === 0 && carried[row] === 0) continue;
    const key = sourceOf(graph, row);
    const source = sources.get(key) ?? { since: new Map(), sendsSince: null, isPartial: false };
    sources.set(key, source);
    const start = graph.startTimeOf(row);
    let hasId = false;
    let hasOwnId = false;
    for (const { name, place } of recorded) {
      source.since.set(name, earlier(source.since.get(name) ?? start, start));
      if (formatOfIdHeader(name) === null) continue;
      const value = String(valueAt(store, row, place));
      hasId ||= value !== '' && value !== '[]';
      hasOwnId ||= value.toLowerCase().includes(spanIdOf(store, row));
    }
    if (hasOwnId) source.sendsSince = earlier(source.sendsSince ?? start, start);
    if (!hasId && carried[row] === 1) source.isPartial = true;
  }
  return sources;
}

/**
 * Marks calls and requests that are known to have carried a context: the request continues a span of another resource, or its flags say
 * that the parent is remote.
 */
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

/** A header that an attribute records, and the attribute's position in its shape. */
interface RecordedHeader {
  readonly name: string;
  readonly place: number;
}

/** Lists the recorded headers by shape. Shapes without recorded headers are left out. */
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

/** Whether any span records a header of a request or an answer. */
export function recordsHeaders(store: SpanStore): boolean {
  return listHeaders(store).size > 0;
}
