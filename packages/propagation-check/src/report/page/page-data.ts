/** The data of the page's own script: the traces that can be opened. Times in milliseconds. */
export interface PageData {
  /** Broken ones first, then by start. */
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

/** A tuple, for 50,000 of them stand in a page. */
export type PageSpan = readonly [
  spanId: string,
  depth: number,
  service: number,
  kind: number,
  name: string,
  startMs: number,
  durationMs: number,
  /** Empty where there is none. */
  parentId: string,
  /** A broken call has this side; empty where nothing is said. */
  finding: string,
  isError: 0 | 1,
  /** Why the span begins a tree; propagation headers that it recorded. */
  details: readonly string[],
];
