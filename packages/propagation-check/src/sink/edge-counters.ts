import type { FindingId } from '../rules/finding.ts';
import { keyFor } from '../util/group-by.ts';

export const verdicts = ['intact', 'broken', 'undecided'] as const;

/** `undecided`: spans that may decide have not arrived, or the call may belong to another edge. */
export type Verdict = (typeof verdicts)[number];

/** Spans of a call in one trace, as an example for people. */
export interface Example {
  readonly traceId: string;
  readonly spanIds: readonly string[];
}

export interface CallVerdict {
  readonly client: string | null;
  readonly server: string | null;
  readonly verdict: Verdict;
  /** A finding, `judgedApart` or `pastService`; empty for other intact calls. */
  readonly cause: string;
  readonly example: Example;
}

interface Edge {
  readonly client: string;
  readonly server: string;
}

export interface EdgeLabels extends Edge {
  readonly verdict: Verdict;
  readonly cause: string;
}

export interface EdgeCount extends EdgeLabels {
  calls: number;
  /** The newest example is the last. */
  examples: readonly Example[];
}

/** Limits memory: names of services and addresses of peers come from outside. */
const longestName = 200;
const mostExamples = 5;
/** The share of edges that may lead to peers without spans. Their addresses change with every deployment, and must leave room for services. */
const peerShare = 1 / 4;
/** The cause of calls to peers without spans. */
export const uninstrumented: FindingId = 'uninstrumented-peer';
/** The cause of a call whose sides were not judged together: one was judged before the other arrived. */
export const judgedApart = 'judged-apart';
/** The cause of a whole call through a service that forwarded the header unchanged: the edge exists only because another one is broken. */
export const pastService = 'past-service';
/** The name of a side of which there is no span. */
const unknownService = 'unknown';
/** The name of both sides beyond the limit of edges, and of peers beyond their share. */
export const otherService = 'other';
const otherEdge: Edge = { client: otherService, server: otherService };
/** This pair does not count towards the limit of edges. */
const otherKey = nameEdge(otherEdge);

/** Calls since the first start, by edge, verdict and cause. */
export class EdgeCounters {
  readonly #mostEdges: number;
  readonly #counts = new Map<string, EdgeCount>();
  readonly #edges = new Set<string>();
  #peers = 0;

  constructor(mostEdges: number) {
    this.#mostEdges = mostEdges;
  }

  /** How many pairs of services have a counter. */
  get edges(): number {
    return this.#edges.size;
  }

  count({ example, ...labels }: CallVerdict, calls = 1): void {
    this.#add(labels, calls, [example]);
  }

  /** A copy of the counts. */
  list(): readonly EdgeCount[] {
    return Array.from(this.#counts.values(), (count) => ({ ...count }));
  }

  /** Adds the counts of an earlier process. */
  restore(counts: readonly EdgeCount[]): void {
    // Peers that had a counter keep it, even beyond their share.
    for (const { calls, examples, ...labels } of counts) this.#add(labels, calls, examples, this.#mostEdges);
  }

  #add(
    { client, server, verdict, cause }: Omit<CallVerdict, 'example'>,
    calls: number,
    examples: readonly Example[],
    mostPeers = this.#mostEdges * peerShare,
  ): void {
    const named = { client: nameSide(client), server: nameSide(server) };
    const edge = cause === uninstrumented ? this.#placePeer(named, mostPeers) : this.#placeEdge(named);
    const known = this.#find({ ...edge, verdict, cause });
    known.calls += calls;
    known.examples = [...known.examples, ...examples].slice(-mostExamples);
  }

  /** A peer beyond the share of peers is counted as `other`; its caller keeps its name. */
  #placePeer(edge: Edge, mostPeers: number): Edge {
    if (this.#edges.has(nameEdge(edge))) return edge;
    if (edge.server === otherService || this.#peers >= mostPeers)
      return this.#placeEdge({ ...edge, server: otherService });
    const placed = this.#placeEdge(edge);
    if (placed === edge) this.#peers += 1;
    return placed;
  }

  #placeEdge(edge: Edge): Edge {
    const key = nameEdge(edge);
    if (this.#edges.has(key) || key === otherKey) return edge;
    if (this.#edges.size >= this.#mostEdges) return otherEdge;
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

function nameEdge({ client, server }: Edge): string {
  return keyFor(client, server);
}
