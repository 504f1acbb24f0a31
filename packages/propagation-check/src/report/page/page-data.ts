/** The data of the page's script: the traces that it can show. Times in milliseconds. */
export interface PageData {
  /** Traces with broken calls first, then by start. */
  readonly traces: readonly PageTrace[];
  readonly services: readonly string[];
  readonly kinds: readonly string[];
}

export interface PageTrace {
  readonly id: string;
  readonly isBroken: boolean;
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: readonly PageSpan[];
}

/** A tuple, because a page may hold 50,000 of them. */
export type PageSpan = readonly [
  spanId: string,
  depth: number,
  service: number,
  kind: number,
  name: string,
  startMs: number,
  durationMs: number,
  /** Empty where the span has no parent. */
  parentId: string,
  /** The finding of the broken call of which the span is a side; otherwise empty. */
  finding: string,
  isError: 0 | 1,
  /** Why the span begins a tree, and the propagation headers that it recorded. */
  details: readonly string[],
];
