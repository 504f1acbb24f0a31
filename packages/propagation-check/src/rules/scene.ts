import type { Call, CallGroup } from '../calls/call-group.ts';
import type { Roots } from '../calls/roots.ts';
import type { RowFacts } from '../calls/row-facts.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { HeaderEvidence, HeaderLookup } from '../headers/wire.ts';
import type { ClockOffsets } from '../pairing/align-clocks.ts';
import type { AnswerLookup } from '../pairing/answers.ts';
import type { Span } from '../span/span.ts';
import type { Group } from '../util/group-by.ts';
import type { Draft } from './draft.ts';
import type { Thresholds } from './thresholds.ts';

/** Facts that are known before any rule. */
export interface BaseScene {
  readonly graph: TraceGraph;
  /** Facts of calls, by the rows of the graph. */
  readonly facts: RowFacts;
  /** Calls whose two sides are connected, by services, protocol and kinds; in the order of their first calls. */
  readonly groups: readonly CallGroup[];
  readonly groupsBetween: (client: string | null, server: string | null) => readonly CallGroup[];
  readonly groupsFrom: (client: string | null) => readonly CallGroup[];
  readonly groupsInto: (server: string | null) => readonly CallGroup[];
  readonly services: Services;
  /** Calls as spans, and the spans of a service, by start. Each look-up makes views of them all: ask `groups` and `services` first. */
  readonly calls: () => readonly Call[];
  readonly callsBetween: (client: string | null, server: string | null) => readonly Call[];
  readonly callsInto: (server: string | null) => readonly Call[];
  readonly spansOf: (service: string | null) => readonly Span[];
  /** The SERVER and CONSUMER spans of a service, by start. */
  readonly entriesOf: (service: string | null) => readonly Span[];
  /** Those of the spans of a service that are meant, by start. */
  readonly selectSpans: (service: string | null, isMeant: (row: number) => boolean) => readonly Span[];
  readonly expectation: Expectation;
  /** The headers of a call, as far as taps and services saw them. */
  readonly headersOf: HeaderLookup;
  readonly headers: HeaderEvidence;
  /** The first and the last end of the spans that a service delivered; null for a service without spans. */
  readonly coverage: (service: string | null) => Coverage | null;
  /** The first and the last end of all spans. */
  readonly capture: Coverage;
  /** How far clocks are apart; the times of all spans here are aligned already. */
  readonly clockOffsets: ClockOffsets;
  /** Every number of a rule. */
  readonly thresholds: Thresholds;
}

/** The spans and their facts. */
export type GraphFacts = Pick<BaseScene, 'graph' | 'facts'>;

/** Everything that a rule may look at. A rule does no I/O and changes nothing. */
export interface Scene extends BaseScene {
  readonly shared: SharedResults;
}

/** Intermediate results that rules ask for often. `shareResults` makes each once for a scene. */
export interface SharedResults {
  /** Whether the edge must exist as a direct one: not where its calls go through others. */
  isExpectedDirectly(client: string | null, server: string | null): boolean;
  /** Whether calls of the one reach the other through services that no expectation names: sidecars and gateways. */
  isReachedThrough(client: string, server: string): boolean;
  /** Whether the whole calls that an instrumentation of a service makes to another are known by other user agents than this. */
  isOtherAgent(client: Span, server: string | null, userAgent: string): boolean;
  readonly answersOf: AnswerLookup;
  /** Calls whose CLIENT span covers a redirect and the request that followed. */
  readonly redirectedCalls: readonly Call[];
  /** The rows of clients that have more than one call. Ask `extremes.isRepeated` of groups first. */
  repeatedClients(): ReadonlySet<number>;
  /** Of a call that nobody continued: why that proves nothing, although the called service is here; null where it may. */
  findUnprovable(client: Span): UnprovableCall | null;
  readonly brokenCalls: BrokenCalls;
  /** The calls of each request that nobody continued and that do not say what they call. */
  untoldCalls(): CallsOfRequests;
  /** The SERVER and CONSUMER spans of a service, by endpoint. */
  routesOf(service: string | null): readonly Group<Span>[];
  shortBatches(): readonly ShortBatches[];
}

/** A batch that names fewer messages than it says that it holds. */
export interface ShortBatch {
  readonly span: Span;
  readonly unnamed: number;
}

/** Batches of one service and destination that lack messages, and a service that sent some of those that are in none. */
export interface ShortBatches {
  readonly batches: Group<ShortBatch>;
  readonly sender: string | null;
  /** The messages to the destination that are in no batch, of all senders. */
  readonly unread: () => readonly Span[];
  /** How many messages the batches lack. */
  readonly unnamed: number;
}

/** The calls of each request; those of null were made outside of all. */
export type CallsOfRequests = ReadonlyMap<Span | null, readonly Span[]>;

/** A call that may be whole, although no SERVER span names it. */
export interface UnprovableCall {
  /** The called service. */
  readonly service: string | null;
  readonly why: 'cached-answer' | 'dropped-links';
}

/** The calls of services that are broken, and are not missing. */
export interface BrokenCalls {
  /** The method and path of a call, or its target. Proxies, replicas and restarts give one service several addresses. */
  nameOf(row: number): string;
  /** Calls that nobody continued, by these names. */
  openOf(service: string | null): ReadonlyMap<string, Group<number>>;
  /** The traces in which a service has a request whose parent is lost. */
  tracesReaching(service: string | null): ReadonlySet<number | undefined>;
}

/** Facts of the services that need no look at their spans. */
export interface Services {
  /** Those that have spans. */
  names(): readonly (string | null)[];
  has(service: string | null): boolean;
  hasKind(service: string | null, kind: Span['kind']): boolean;
  /** Whether it has SERVER or CONSUMER spans. */
  hasEntries(service: string | null): boolean;
  /** Whether any of its spans calls somebody. */
  isCalling(service: string | null): boolean;
}

/** Nanoseconds since the Unix epoch. */
export interface Coverage {
  readonly from: bigint;
  readonly to: bigint;
}

/** The spans that no earlier rule has explained. */
export interface LooseEnds {
  /** CLIENT and PRODUCER spans that nobody continued. */
  readonly clients: readonly Span[];
  /** SERVER and CONSUMER spans without parent and link. */
  readonly roots: Roots;
  /** Spans whose parent is nowhere. */
  readonly orphans: readonly Span[];
}

/** The spans that no earlier rule has explained, and what the earlier rules found. */
export interface Open extends LooseEnds {
  /** The findings of the earlier rules. */
  readonly found: readonly Draft[];
}
