import { type AttributeIndex, RowAttributes } from './row-attributes.ts';
import {
  type Attributes,
  type Span,
  type SpanLink,
  type SpanStatus,
  spanKinds,
  statusCodes,
} from './span.ts';
import { linksOf, type SpanStore, textOf, traceIdAt } from './span-store.ts';

/** The columns that views of rows read. */
export interface RowSource {
  readonly store: SpanStore;
  readonly attributes: AttributeIndex;
  /** A result of a later stage, computed once for all rows. */
  memo: object | null;
  spanIdOf(row: number): string;
  /** Null for a root. */
  parentIdOf(row: number): string | null;
  /** Nanoseconds since the Unix epoch. */
  startTimeOf(row: number): bigint;
  endTimeOf(row: number): bigint;
}

/** A row as a span. Fields are read on demand: storing them would take ten times the memory. */
export class RowSpan implements Span {
  readonly source: RowSource;
  readonly row: number;
  /** A result of a later stage, computed once for the span. */
  memo: object | null = null;
  #traceId: string | null = null;
  #start: bigint | null = null;
  #end: bigint | null = null;

  constructor(source: RowSource, row: number) {
    this.source = source;
    this.row = row;
  }

  /** The same span, moved in time. */
  at(start: bigint, end: bigint): RowSpan {
    const moved = new RowSpan(this.source, this.row);
    moved.memo = this.memo;
    moved.#start = start;
    moved.#end = end;
    return moved;
  }

  get traceId(): string {
    this.#traceId ??= traceIdAt(this.source.store, this.row);
    return this.#traceId;
  }

  get spanId(): string {
    return this.source.spanIdOf(this.row);
  }

  get parentSpanId(): string | null {
    return this.source.parentIdOf(this.row);
  }

  get traceState(): string {
    return this.#text('traceStates');
  }

  get flags(): number | null {
    const flags = this.source.store.flags[this.row] ?? 0;
    return flags === 0 ? null : flags;
  }

  get name(): string {
    return this.#text('names');
  }

  get kind(): Span['kind'] {
    return spanKinds[this.source.store.kinds[this.row] ?? 0] ?? 'UNSPECIFIED';
  }

  get startTimeUnixNano(): bigint {
    this.#start ??= this.source.startTimeOf(this.row);
    return this.#start;
  }

  get endTimeUnixNano(): bigint {
    this.#end ??= this.source.endTimeOf(this.row);
    return this.#end;
  }

  get attributes(): Attributes {
    return new RowAttributes(this.source.attributes, this.row);
  }

  get links(): readonly SpanLink[] {
    return linksOf(this.source.store, this.row);
  }

  get status(): SpanStatus {
    const code = statusCodes[this.source.store.statuses[this.row] ?? 0] ?? 'UNSET';
    return { code, message: this.#text('statusMessages') };
  }

  get serviceName(): string | null {
    return this.#resource?.serviceName ?? null;
  }

  get resource(): Attributes {
    return this.#resource?.attributes ?? new Map();
  }

  get scopeName(): string {
    return this.#text('scopes');
  }

  get #resource(): SpanStore['resourceTable'][number] | undefined {
    const { store } = this.source;
    return store.resourceTable[store.resources[this.row] ?? 0];
  }

  #text(column: 'names' | 'scopes' | 'traceStates' | 'statusMessages'): string {
    const { store } = this.source;
    return textOf(store, store[column][this.row] ?? 0);
  }
}

/** A copy of the span, moved in time. */
export function atTime(span: Span, start: bigint, end: bigint): Span {
  return span instanceof RowSpan
    ? span.at(start, end)
    : { ...span, startTimeUnixNano: start, endTimeUnixNano: end };
}
