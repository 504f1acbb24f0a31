import { keyFor } from '../util/group-by.ts';

export const verdicts = ['intact', 'broken', 'undecided'] as const;

/** `undecided`: spans that may decide have not come. */
export type Verdict = (typeof verdicts)[number];

/** A trace that shows a call, for people. */
export interface Example {
  readonly traceId: string;
  readonly spanIds: readonly string[];
}

/** The verdict on one call. */
export interface CallVerdict {
  readonly client: string | null;
  readonly server: string | null;
  readonly verdict: Verdict;
  /** The id of the finding, `late`, or empty for an intact call. */
  readonly cause: string;
  readonly example: Example;
}

/** The labels of the counter. */
export interface EdgeLabels {
  readonly client: string;
  readonly server: string;
  readonly verdict: Verdict;
  readonly cause: string;
}

export interface EdgeCount extends EdgeLabels {
  calls: number;
  /** The newest last. */
  examples: Example[];
}

/** Names of services and addresses of peers come from outside. */
const longestName = 200;
const mostExamples = 5;
/** Of a side of which no span tells, and of both sides beyond the bound of edges. */
export const unknownService = 'unknown';
export const otherService = 'other';

/** Calls since the first start, by edge, verdict and cause. */
export class EdgeCounters {
  readonly #mostEdges: number;
  readonly #onCount: (labels: EdgeLabels, calls: number, example: Example | null) => void;
  readonly #counts = new Map<string, EdgeCount>();
  readonly #edges = new Set<string>();

  /** @param onCount Told of every count, with the labels that it got. */
  constructor(
    mostEdges: number,
    onCount: (labels: EdgeLabels, calls: number, example: Example | null) => void = () => undefined,
  ) {
    this.#mostEdges = mostEdges;
    this.#onCount = onCount;
  }

  /** Pairs of services that have a counter of their own. */
  get edges(): number {
    return this.#edges.size;
  }

  count({ client, server, verdict, cause, example }: CallVerdict, calls = 1): void {
    const labels = { ...this.#nameEdge(client, server), verdict, cause };
    const known = this.#find(labels);
    known.calls += calls;
    known.examples = [...known.examples, example].slice(-mostExamples);
    this.#onCount(labels, calls, example);
  }

  list(): readonly EdgeCount[] {
    return [...this.#counts.values()];
  }

  /** Adds what an earlier process has counted. */
  restore(counts: readonly EdgeCount[]): void {
    for (const { client, server, verdict, cause, calls, examples } of counts) {
      const labels = { ...this.#nameEdge(client, server), verdict, cause };
      const known = this.#find(labels);
      known.calls += calls;
      known.examples = [...known.examples, ...examples].slice(-mostExamples);
      this.#onCount(labels, calls, null);
    }
  }

  #nameEdge(client: string | null, server: string | null): Pick<EdgeLabels, 'client' | 'server'> {
    const edge = { client: nameSide(client), server: nameSide(server) };
    const key = keyFor(edge.client, edge.server);
    if (this.#edges.has(key)) return edge;
    if (this.#edges.size >= this.#mostEdges) return { client: otherService, server: otherService };
    this.#edges.add(key);
    return edge;
  }

  #find(labels: EdgeLabels): EdgeCount {
    const key = keyFor(labels.client, labels.server, labels.verdict, labels.cause);
    const known = this.#counts.get(key) ?? { ...labels, calls: 0, examples: [] };
    this.#counts.set(key, known);
    return known;
  }
}

function nameSide(name: string | null): string {
  return name === null || name === '' ? unknownService : name.slice(0, longestName);
}
