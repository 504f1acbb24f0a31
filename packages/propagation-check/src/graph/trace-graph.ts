import { droppedCounts } from '../span/dropped-counts.ts';
import { hasOwnParent } from '../span/own-request.ts';
import { AttributeIndex } from '../span/row-attributes.ts';
import { type RowSource, RowSpan } from '../span/row-span.ts';
import { isParentRemote, kindNumber, type Span } from '../span/span.ts';
import {
  type Bytes,
  endTimeOf,
  farthestExact,
  findShapes,
  listServiceNames,
  parentIdOf,
  type Reals,
  type SpanStore,
  spanIdOf,
  startTimeOf,
  type Words,
} from '../span/span-store.ts';
import { storeOf } from '../span/span-writer.ts';
import { mapBy } from '../util/group-by.ts';
import { indexIntervals } from '../util/interval-index.ts';
import { findPassedOn } from './find-passed-on.ts';
import { type SpanIds, separateSharedRows } from './separate-shared-rows.ts';
import { SpanIndex } from './span-index.ts';

export type Rows = Int32Array<ArrayBuffer>;

/** No row. */
export const none = -1;

const remoteParent = 0x300;

/** The time bounds of blocks of consecutive rows. Most files are ordered by time, so that a look-up skips most blocks. */
interface Blocks {
  readonly firstStarts: Reals;
  readonly lastEnds: Reals;
}
/** A look-up reads one bound for each block and the rows of a few blocks: at 10 million rows, a few thousand of each. */
const rowsOfBlock = 4_096;

/**
 * All spans of a check and their relations. Rows belong to a span store; views exist only for the few spans that are examined. A row that
 * repeats the ids of another is left out: exporters retry, and answers that overlap may repeat a trace.
 */
export class TraceGraph {
  readonly store: SpanStore;
  /** The number of distinct spans. */
  readonly spanCount: number;
  /** Number of distinct trace ids. */
  readonly traceCount: number;
  /** Relative to the origin of the store. */
  readonly starts: Reals;
  readonly ends: Reals;
  /** The row of the parent, also across a trace id cut to 64 bits; `none` for a root and for an orphan. */
  readonly parents: Rows;
  /** As `parents`, but without cycles (hostile data): the first span of each has `none`. */
  readonly upwards: Rows;
  readonly index: SpanIndex;
  readonly #ids: SpanIds;
  readonly #isLeftOut: Bytes;
  readonly #hasChild: Bytes;
  readonly #services: readonly (string | null)[];
  /** By resource: the number of its service. */
  readonly #serviceNumbers: Words;
  readonly serviceCount: number;
  readonly #ahead: ((resource: number) => bigint) | null;
  readonly #source: RowSource;
  readonly #views = new Map<number, RowSpan>();
  readonly #linkStarts: ReadonlyMap<number, number>;
  readonly #shapesWithDropped: ReadonlySet<number>;
  #tops: Rows | null = null;
  #blocks: Blocks | null = null;
  #topsInService: Rows | null = null;
  #traceHasRoot: Bytes | null = null;
  #spans: readonly Span[] | null = null;
  #passedOn: ReadonlySet<number> | null = null;
  #rowsOfServices: ReadonlyMap<string | null, Rows> | null = null;

  constructor(store: SpanStore, aligned?: { readonly from: TraceGraph; ahead(resource: number): bigint }) {
    this.store = store;
    this.#services = listServiceNames(store);
    const numbers = new Map([...new Set(this.#services)].map((service, number) => [service, number]));
    this.#serviceNumbers = Uint32Array.from(this.#services, (service) => numbers.get(service) ?? 0);
    this.serviceCount = numbers.size;
    this.#linkStarts = indexLinks(store);
    this.#shapesWithDropped = findShapes(store, droppedCounts.links);
    if (aligned !== undefined) {
      const { from } = aligned;
      this.index = from.index;
      this.#ids = from.#ids;
      this.#source = this.#makeSource();
      this.#isLeftOut = from.#isLeftOut;
      this.#hasChild = from.#hasChild;
      this.spanCount = from.spanCount;
      this.traceCount = from.traceCount;
      this.parents = from.parents;
      this.#ahead = aligned.ahead;
      const moved = store.resourceTable.map((_, resource) => Number(aligned.ahead(resource)));
      const move = (time: number, row: number): number => time - (moved[store.resources[row] ?? 0] ?? 0);
      this.starts = store.starts.map(move);
      this.ends = store.ends.map(move);
    } else {
      this.#ahead = null;
      this.starts = store.starts;
      this.ends = store.ends;
      const received = new SpanIndex(store);
      const separate = received.repeated.length === 0 ? null : separateSharedRows(store, received);
      this.#ids = separate ?? store;
      this.#source = this.#makeSource();
      this.index = separate === null ? received : new SpanIndex({ ...store, spanIds: separate.spanIds });
      this.#isLeftOut = this.#leaveOutRepeated();
      this.spanCount = store.size - this.index.repeated.length;
      this.traceCount = this.index.traceCount;
      this.#hasChild = new Uint8Array(store.size);
      this.parents = this.#findParents();
      if (store.links.rows.length === 0) this.index.rest();
    }
    this.upwards = this.#withoutCircles();
  }

  /** The same spans, with clocks corrected. @param ahead By how many nanoseconds the clock of a resource is ahead. */
  align(ahead: (resource: number) => bigint): TraceGraph {
    return new TraceGraph(this.store, { from: this, ahead });
  }

  /** Whether a row is not a repetition of another. */
  has(row: number): boolean {
    return this.#isLeftOut[row] === 0;
  }

  /** Whether the source returned only part of the time range, so that the other side of the row's call may be missing. */
  isAtBorder(row: number): boolean {
    return this.store.atBorder?.[row] === 1;
  }

  /** The span of a row; the same object each time. */
  view(row: number): Span {
    const known = this.#views.get(row);
    if (known !== undefined) return known;
    const view = new RowSpan(this.#source, row);
    this.#views.set(row, view);
    return view;
  }

  /** Stores a result of a later stage beside the views. */
  keepForViews(memo: object): void {
    this.#source.memo = memo;
  }

  /** The row of a view of this graph; `none` for any other span. */
  rowOf(span: Span): number {
    return span instanceof RowSpan && span.source === this.#source ? span.row : none;
  }

  /** Views of the rows, by start. */
  viewsOf(rows: Iterable<number>): readonly Span[] {
    return Array.from(rows)
      .sort((left, right) => this.compare(left, right))
      .map((row) => this.view(row));
  }

  /** Orders by start, then by ids, so that the order is always the same. */
  compare(left: number, right: number): number {
    const one = this.starts[left] ?? 0;
    const other = this.starts[right] ?? 0;
    if (one !== other) return one < other ? -1 : 1;
    if (Math.abs(one) > farthestExact) {
      // Far from the origin, different times may round to equal doubles.
      const [exact, otherExact] = [this.startTimeOf(left), this.startTimeOf(right)];
      if (exact !== otherExact) return exact < otherExact ? -1 : 1;
    }
    return this.#compareIds(left, right);
  }

  /** All spans, by start. Makes a view of each. */
  get spans(): readonly Span[] {
    this.#spans ??= this.viewsOf(this.#listRows());
    return this.#spans;
  }

  /** The rows of spans that were open at any time between two times, in no order. */
  rowsBetween(from: number, to: number): readonly number[] {
    const found: number[] = [];
    this.someBetween(from, to, (row) => {
      found.push(row);
      return false;
    });
    return found;
  }

  /** Calls `isMeant` for each span that was open at any time between two times, until it returns true. */
  someBetween(from: number, to: number, isMeant: (row: number) => boolean): boolean {
    const { starts, ends } = this;
    this.#blocks ??= boundBlocks(this);
    const { firstStarts, lastEnds } = this.#blocks;
    for (let block = 0; block < firstStarts.length; block += 1) {
      if ((firstStarts[block] ?? 0) > to || (lastEnds[block] ?? 0) < from) continue;
      const next = Math.min((block + 1) * rowsOfBlock, starts.length);
      for (let row = block * rowsOfBlock; row < next; row += 1) {
        const isOpen = (starts[row] ?? 0) <= to && (ends[row] ?? 0) >= from;
        if (isOpen && this.has(row) && isMeant(row)) return true;
      }
    }
    return false;
  }

  /** The rows of a service, in no order. */
  rowsOfService(service: string | null): Iterable<number> {
    this.#rowsOfServices ??= this.#groupByService();
    return this.#rowsOfServices.get(service) ?? [];
  }

  serviceOf(row: number): string | null {
    return this.#services[this.store.resources[row] ?? 0] ?? null;
  }

  /** The same number for all rows of a service. */
  serviceNumberOf(row: number): number {
    return this.#serviceNumbers[this.store.resources[row] ?? 0] ?? 0;
  }

  isEntry(row: number): boolean {
    const kind = this.store.kinds[row];
    return kind === kindNumber.server || kind === kindNumber.consumer;
  }

  isRoot(row: number): boolean {
    const { parentIds } = this.#ids;
    return parentIds[row * 2] === 0 && parentIds[row * 2 + 1] === 0;
  }

  /**
   * Whether the parent is missing in the data. The request that the report tells users to send has no parent that could be missing, unless a
   * service passed its header on.
   */
  isOrphan(row: number): boolean {
    if (this.parents[row] !== none || this.isRoot(row)) return false;
    return !this.hasOwnParent(row) || this.#isPassedOn(row);
  }

  /** Whether the parent is the request that the report tells users to send. */
  hasOwnParent(row: number): boolean {
    return hasOwnParent(this.#ids.parentIds, row);
  }

  #isPassedOn(row: number): boolean {
    this.#passedOn ??= findPassedOn(this, (one) => this.hasOwnParent(one));
    return this.#passedOn.has(row);
  }

  hasChild(row: number): boolean {
    return this.#hasChild[row] === 1;
  }

  hasLinks(row: number): boolean {
    return this.#linkStarts.size > 0 && this.#linkStarts.has(row);
  }

  /** Whether the SDK dropped links of the span. */
  hasDroppedLinks(row: number): boolean {
    return this.someDroppedLinks && this.#shapesWithDropped.has(this.store.shapes[row] ?? 0);
  }

  /** Whether `hasDroppedLinks` holds for some span. */
  get someDroppedLinks(): boolean {
    return this.#shapesWithDropped.size > 0;
  }

  /** Whether a span has or had links, present or dropped. */
  mayBeLinked(row: number): boolean {
    return this.hasLinks(row) || this.hasDroppedLinks(row);
  }

  /** Whether the flags say that the parent is in another process. */
  isParentRemote(row: number): boolean {
    return ((this.store.flags[row] ?? 0) & remoteParent) === remoteParent;
  }

  /** Whether the child's parent id is the id of this span, even if one trace id is cut. */
  isNamedBy(row: number, child: number): boolean {
    const { spanIds, parentIds } = this.#ids;
    return spanIds[row * 2] === parentIds[child * 2] && spanIds[row * 2 + 1] === parentIds[child * 2 + 1];
  }

  rowsWithLinks(): Iterable<number> {
    return this.#linkStarts.keys();
  }

  /** The spans in the capture to which a span links. */
  linkTargetsOf(row: number): readonly number[] {
    const { links } = this.store;
    const targets: number[] = [];
    for (let link = this.#linkStarts.get(row) ?? links.rows.length; links.rows[link] === row; link += 1) {
      const trace = this.index.findTrace(links, link);
      const target = trace < 0 ? none : this.index.findSpan(trace, links.spanIds, link);
      if (target !== none && target !== row) targets.push(target);
    }
    return targets;
  }

  areOfOneTrace(one: Span, other: Span): boolean {
    const { traces } = this.index;
    return traces[this.rowOf(one)] === traces[this.rowOf(other)];
  }

  /** Whether two rows are in different traces whose ids share the last 64 bits. */
  areTracesAlike(one: number, other: number): boolean {
    const { traceIds } = this.store;
    return (
      this.index.traces[one] !== this.index.traces[other] &&
      traceIds[one * 4 + 2] === traceIds[other * 4 + 2] &&
      traceIds[one * 4 + 3] === traceIds[other * 4 + 3]
    );
  }

  hasChildren(span: Span): boolean {
    return this.hasChild(this.rowOf(span));
  }

  /** The parent as a view; null for a root and for an orphan. */
  parentOf(span: Span): Span | null {
    const parent = this.parents[this.rowOf(span)] ?? none;
    return parent === none ? null : this.view(parent);
  }

  /** Whether the root of a trace is in the capture. */
  isBegun(traceId: string): boolean {
    this.#traceHasRoot ??= this.#findTracesWithRoot();
    return this.#traceHasRoot[this.#findTrace(traceId)] === 1;
  }

  /** The spans for which `isMeant` holds, by start. */
  select(isMeant: (row: number) => boolean): readonly Span[] {
    const meant: number[] = [];
    for (let row = 0; row < this.store.size; row += 1) if (this.has(row) && isMeant(row)) meant.push(row);
    return this.viewsOf(meant);
  }

  /** The topmost span at or above a span within its service: an entry span, a root, an orphan, or a child of another service's span. */
  topInService(row: number): number {
    this.#topsInService ??= new Int32Array(this.store.size).fill(none);
    return this.#climb(row, this.#topsInService, this.#isTopInService);
  }

  readonly #isTopInService = (at: number, parent: number): boolean =>
    this.isEntry(at) || this.serviceNumberOf(parent) !== this.serviceNumberOf(at);

  /** The topmost span in the capture at or above a span. */
  topOf(row: number): number {
    this.#tops ??= new Int32Array(this.store.size).fill(none);
    return this.#climb(row, this.#tops, () => false);
  }

  /** Whether `upper` is among the ancestors of a span. */
  isBelow(row: number, upper: number): boolean {
    for (let at = this.upwards[row] ?? none; at !== none; at = this.upwards[at] ?? none) {
      if (at === upper) return true;
    }
    return false;
  }

  /**
   * Prepares a look-up for the given spans: the spans of the same trace that were open when the span started, the latest first.
   * @param tolerance By how many nanoseconds clocks may differ.
   */
  indexTraces(spans: readonly Span[], tolerance: bigint): (span: Span) => Iterable<Span> {
    const rowsOf = new Map<number, number[]>();
    const traceOf = (span: Span): number => this.index.traces[this.rowOf(span)] ?? none;
    for (const span of spans) rowsOf.set(traceOf(span), []);
    if (rowsOf.size === 0) return () => [];
    for (const row of this.#listRows()) rowsOf.get(this.index.traces[row] ?? none)?.push(row);
    const indexes = new Map(
      [...rowsOf].map(([trace, rows]) => {
        const sorted = rows.sort((left, right) => this.compare(left, right));
        const timesOf = (times: Reals) => Float64Array.from(sorted, (row) => times[row] ?? 0);
        return [trace, { sorted, intervals: indexIntervals(timesOf(this.starts), timesOf(this.ends)) }];
      }),
    );
    const view = (row: number): Span => this.view(row);
    return (span) => {
      const index = indexes.get(traceOf(span));
      const start = this.starts[this.rowOf(span)] ?? 0;
      const open = index?.intervals.openBetween(start - Number(tolerance), start + Number(tolerance)) ?? [];
      return (function* () {
        for (const at of open) yield view(index?.sorted[at] ?? none);
      })();
    };
  }

  /** The given ids that are a span's or its parent's. */
  selectKnownIds(spanIds: ReadonlySet<string>): ReadonlySet<string> {
    const known = new Set<string>();
    if (spanIds.size === 0) return known;
    const wanted = mapBy(
      Array.from(spanIds, (id) => ({ id, words: readWords(id) })),
      ({ words }) => words[0],
    );
    for (const ids of [this.#ids.spanIds, this.#ids.parentIds]) {
      for (let row = 0; row < this.store.size; row += 1) {
        const found = wanted.get(ids[row * 2])?.find(({ words }) => words[1] === ids[row * 2 + 1]);
        if (found !== undefined) known.add(found.id);
      }
    }
    return known;
  }

  hasTrace(traceId: string): boolean {
    return this.#findTrace(traceId) !== none;
  }

  hasSpan(traceId: string, spanId: string): boolean {
    return this.findRow(traceId, spanId) !== none;
  }

  findRow(traceId: string, spanId: string): number {
    const trace = this.#findTrace(traceId);
    return trace === none ? none : this.index.findSpan(trace, readWords(spanId), 0);
  }

  /** In nanoseconds since the Unix epoch. */
  startTimeOf(row: number): bigint {
    return this.#atOneTime(startTimeOf(this.store, row), row);
  }

  endTimeOf(row: number): bigint {
    return this.#atOneTime(endTimeOf(this.store, row), row);
  }

  #findTrace(traceId: string): number {
    const isShort = traceId.length === 16;
    const traceIds = readWords(isShort ? `${'0'.repeat(16)}${traceId}` : traceId);
    return this.index.findTrace({ traceIds, hasShortTraceId: Uint8Array.of(isShort ? 1 : 0) }, 0);
  }

  #atOneTime(time: bigint, row: number): bigint {
    return this.#ahead === null ? time : time - this.#ahead(this.store.resources[row] ?? 0);
  }

  #makeSource(): RowSource {
    const ids = { ...this.store, ...this.#ids };
    return {
      store: this.store,
      attributes: new AttributeIndex(this.store),
      memo: null,
      spanIdOf: (row) => spanIdOf(ids, row),
      parentIdOf: (row) => parentIdOf(ids, row),
      startTimeOf: (row) => this.startTimeOf(row),
      endTimeOf: (row) => this.endTimeOf(row),
    };
  }

  /** Of spans with equal ids, keeps the longest; the choice does not depend on their order. */
  #leaveOutRepeated(): Bytes {
    const isLeftOut = new Uint8Array(this.store.size);
    const rankOf = (row: number): readonly [bigint, string] => {
      const one = new RowSpan(this.#source, row);
      return [
        one.endTimeUnixNano - one.startTimeUnixNano,
        `${one.kind} ${one.name} ${one.serviceName} ${one.parentSpanId} ${one.startTimeUnixNano}`,
      ];
    };
    for (const row of this.index.repeated) {
      const known = this.index.findSpan(this.index.traces[row] ?? 0, this.#ids.spanIds, row);
      const [knownRank, rank] = [rankOf(known), rankOf(row)];
      const isBetter = rank[0] === knownRank[0] ? rank[1] > knownRank[1] : rank[0] > knownRank[0];
      isLeftOut[isBetter ? known : row] = 1;
      if (isBetter) this.index.prefer(row);
    }
    return isLeftOut;
  }

  #findParents(): Rows {
    const { size } = this.store;
    const { parentIds } = this.#ids;
    const parents = new Int32Array(size).fill(none);
    const unfound: number[] = [];
    for (let row = 0; row < size; row += 1) {
      if (this.#isLeftOut[row] === 1 || this.isRoot(row) || this.isNamedBy(row, row)) continue;
      const parent = this.index.findSpan(this.index.traces[row] ?? 0, parentIds, row);
      if (parent === none) {
        unfound.push(row);
        continue;
      }
      parents[row] = parent;
      this.#hasChild[parent] = 1;
    }
    if (unfound.length > 0) this.#findAcrossCut(unfound, parents);
    return parents;
  }

  /**
   * Finds parents in traces whose ids share the last 64 bits, where one of the two ids is cut to these. Looks at each row once, however
   * many traces share them.
   */
  #findAcrossCut(rows: readonly number[], parents: Rows): void {
    const groupOf = this.#groupTracesByLastBits();
    if (groupOf.size === 0) return;
    const keyFor = (group: number, isCut: boolean, ids: Words, row: number): string =>
      `${group} ${isCut} ${ids[row * 2]} ${ids[row * 2 + 1]}`;
    // By group and id, the span that began last; spans in cut traces are also kept apart from the others.
    const latest = new Map<string, number>();
    const { spanIds, parentIds } = this.#ids;
    const wanted = rows.flatMap((row) => {
      const group = groupOf.get(this.index.traces[row] ?? 0);
      // A row whose trace id is whole finds its parent only in a trace whose id is cut.
      return group === undefined ? [] : [{ row, key: keyFor(group, !this.#isCut(row), parentIds, row) }];
    });
    for (const { key } of wanted) latest.set(key, none);
    for (let row = 0; row < this.store.size; row += 1) {
      const group = groupOf.get(this.index.traces[row] ?? 0);
      if (group === undefined || !this.has(row)) continue;
      for (const isCut of this.#isCut(row) ? [false, true] : [false]) {
        const key = keyFor(group, isCut, spanIds, row);
        const known = latest.get(key);
        if (known !== undefined && (known === none || this.compare(known, row) < 0)) latest.set(key, row);
      }
    }
    for (const { row, key } of wanted) {
      const parent = latest.get(key) ?? none;
      parents[row] = parent;
      if (parent !== none) this.#hasChild[parent] = 1;
    }
  }

  /** Maps each trace to the number of its group: traces with the same last 64 bits, at least one of them cut. */
  #groupTracesByLastBits(): ReadonlyMap<number, number> {
    const { traceIds } = this.store;
    const { firstRows, traceCount } = this.index;
    const lastBits = new BigUint64Array(traceCount);
    for (let trace = 0; trace < traceCount; trace += 1) {
      const at = (firstRows[trace] ?? 0) * 4;
      lastBits[trace] = (BigInt(traceIds[at + 2] ?? 0) << 32n) | BigInt(traceIds[at + 3] ?? 0);
    }
    const sorted = lastBits.slice().sort();
    const repeated = new Map<bigint, number[]>();
    for (let at = 1; at < traceCount; at += 1) {
      const bits = sorted[at] ?? 0n;
      if (bits === sorted[at - 1]) repeated.set(bits, []);
    }
    if (repeated.size === 0) return new Map();
    for (const [trace, bits] of lastBits.entries()) repeated.get(bits)?.push(trace);
    const groups = [...repeated.values()].filter((traces) =>
      traces.some((trace) => this.#isCut(firstRows[trace] ?? 0)),
    );
    return new Map(groups.flatMap((traces, group) => traces.map((trace) => [trace, group] as const)));
  }

  /** Whether the trace id of a row has at most 64 bits. */
  #isCut(row: number): boolean {
    const { hasShortTraceId, traceIds } = this.store;
    return hasShortTraceId[row] === 1 || (traceIds[row * 4] === 0 && traceIds[row * 4 + 1] === 0);
  }

  #withoutCircles(): Rows {
    const { parents, starts } = this;
    let upwards = parents;
    const state = new Uint8Array(parents.length);
    const [unseen, onPath, done] = [0, 1, 2];
    for (let row = 0; row < parents.length; row += 1) {
      const parent = parents[row] ?? none;
      // Each cycle contains a span that begins no later than its parent.
      if (parent === none || (starts[parent] ?? 0) < (starts[row] ?? 0) || state[row] !== unseen) continue;
      let at = row;
      for (; at !== none && state[at] === unseen; at = parents[at] ?? none) state[at] = onPath;
      if (at !== none && state[at] === onPath) {
        const circle = [at];
        for (let next = parents[at] ?? none; next !== at; next = parents[next] ?? none) circle.push(next);
        const [first = at] = circle.sort((left, right) => this.compare(left, right));
        if (upwards === parents) upwards = parents.slice();
        upwards[first] = none;
      }
      for (at = row; at !== none && state[at] === onPath; at = parents[at] ?? none) state[at] = done;
    }
    return upwards;
  }

  /** The first row upwards for which `isTop` holds, or which has no parent; remembered for all rows on the way. */
  #climb(row: number, known: Rows, isTop: (at: number, parent: number) => boolean): number {
    let top = row;
    while (known[top] === none) {
      const parent = this.upwards[top] ?? none;
      if (parent === none || isTop(top, parent)) break;
      top = parent;
    }
    const end = top;
    if (known[end] !== none) top = known[end] ?? none;
    for (let at = row; at !== end; at = this.upwards[at] ?? none) known[at] = top;
    known[end] = top;
    return top;
  }

  #findTracesWithRoot(): Bytes {
    const found = new Uint8Array(this.traceCount);
    for (let row = 0; row < this.store.size; row += 1) {
      if (this.has(row) && this.isRoot(row)) found[this.index.traces[row] ?? 0] = 1;
    }
    return found;
  }

  #compareIds(left: number, right: number): number {
    const { traceIds, hasShortTraceId } = this.store;
    const { spanIds } = this.#ids;
    if (hasShortTraceId[left] !== hasShortTraceId[right]) {
      return keyOf(this.view(left)) < keyOf(this.view(right)) ? -1 : 1;
    }
    return compareWords(traceIds, left * 4, right * 4, 4) || compareWords(spanIds, left * 2, right * 2, 2);
  }

  *#listRows(): Generator<number> {
    for (let row = 0; row < this.store.size; row += 1) if (this.has(row)) yield row;
  }

  #groupByService(): ReadonlyMap<string | null, Rows> {
    const counts = new Map<string | null, number>();
    const perResource = new Uint32Array(this.#services.length);
    for (const row of this.#listRows()) {
      const resource = this.store.resources[row] ?? 0;
      perResource[resource] = (perResource[resource] ?? 0) + 1;
    }
    for (const [resource, service] of this.#services.entries()) {
      counts.set(service, (counts.get(service) ?? 0) + (perResource[resource] ?? 0));
    }
    const groups = new Map([...counts].map(([service, count]) => [service, new Int32Array(count)]));
    const ofResource = this.#services.map((service) => ({ rows: groups.get(service), service }));
    const filled = new Map<string | null, number>();
    for (const row of this.#listRows()) {
      const { rows, service = null } = ofResource[this.store.resources[row] ?? 0] ?? {};
      const at = filled.get(service) ?? 0;
      if (rows !== undefined) rows[at] = row;
      filled.set(service, at + 1);
    }
    return groups;
  }
}

/** Builds a graph from span objects. */
export function buildTraceGraph(received: readonly Span[]): TraceGraph {
  return new TraceGraph(storeOf(received));
}

/** A key for a span, or for the context that a header carries. */
export function keyOf({
  traceId,
  spanId,
}: {
  readonly traceId: string | null;
  readonly spanId: string | null;
}): string {
  return `${traceId}:${spanId}`;
}

export function isBelow(graph: TraceGraph, span: Span, upper: Span): boolean {
  return graph.isBelow(graph.rowOf(span), graph.rowOf(upper));
}

/** The topmost span in the capture at or above a span. */
export function findTop(graph: TraceGraph, span: Span): Span {
  return graph.view(graph.topOf(graph.rowOf(span)));
}

/** Whether the span's parent is not in the capture. */
export function isOrphan(graph: TraceGraph, span: Span): boolean {
  return graph.isOrphan(graph.rowOf(span));
}

/**
 * Whether the missing parent may be the caller's. If the flags say that the parent is in the span's own process, telemetry was lost there
 * and propagation is not at fault.
 */
export function isCallerMissing(graph: TraceGraph, span: Span): boolean {
  return isOrphan(graph, span) && isParentRemote(span) !== false;
}

export function isRoot(span: Span): boolean {
  return span.parentSpanId === null;
}

/** Whether one trace id is the other cut to its last 16 digits. Leading zeros are ignored. */
export function isTruncationOf(left: string, right: string): boolean {
  const [one, other] = [withoutPadding(left), withoutPadding(right)];
  return one !== other && (one.endsWith(other) || other.endsWith(one));
}

function withoutPadding(traceId: string): string {
  return traceId.length === 32 && traceId.startsWith('0'.repeat(16)) ? traceId.slice(16) : traceId;
}

function readWords(hex: string): Words {
  const words = new Uint32Array(hex.length >>> 3);
  for (let word = 0; word < words.length; word += 1)
    words[word] = Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16);
  return words;
}

function compareWords(words: Words, left: number, right: number, count: number): number {
  for (let word = 0; word < count; word += 1) {
    const [one, other] = [words[left + word] ?? 0, words[right + word] ?? 0];
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

/** One loop over all rows, not one for each block: V8 compiles it once. */
function boundBlocks({ starts, ends }: Pick<TraceGraph, 'starts' | 'ends'>): Blocks {
  const count = Math.ceil(starts.length / rowsOfBlock);
  const firstStarts = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const lastEnds = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < starts.length; row += 1) {
    const block = Math.floor(row / rowsOfBlock);
    firstStarts[block] = Math.min(firstStarts[block] ?? 0, starts[row] ?? 0);
    lastEnds[block] = Math.max(lastEnds[block] ?? 0, ends[row] ?? 0);
  }
  return { firstStarts, lastEnds };
}

function indexLinks({ links }: SpanStore): ReadonlyMap<number, number> {
  const starts = new Map<number, number>();
  for (const [link, row] of links.rows.entries()) if (links.rows[link - 1] !== row) starts.set(row, link);
  return starts;
}
