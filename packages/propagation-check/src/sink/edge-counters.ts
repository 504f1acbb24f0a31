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
  examples: readonly Example[];
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
  readonly #counts = new Map<string, EdgeCount>();
  readonly #edges = new Set<string>();

  constructor(mostEdges: number) {
    this.#mostEdges = mostEdges;
  }

  /** Pairs of services that have a counter of their own. */
  get edges(): number {
    return this.#edges.size;
  }

  count({ example, ...labels }: CallVerdict, calls = 1): void {
    this.#add(labels, calls, [example]);
  }

  /** As they are now. */
  list(): readonly EdgeCount[] {
    return Array.from(this.#counts.values(), (count) => ({ ...count }));
  }

  /** Adds what an earlier process has counted. */
  restore(counts: readonly EdgeCount[]): void {
    for (const { calls, examples, ...labels } of counts) this.#add(labels, calls, examples);
  }

  #add(
    { client, server, verdict, cause }: Omit<CallVerdict, 'example'>,
    calls: number,
    examples: readonly Example[],
  ): void {
    const known = this.#find({ ...this.#nameEdge(client, server), verdict, cause });
    known.calls += calls;
    known.examples = [...known.examples, ...examples].slice(-mostExamples);
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
