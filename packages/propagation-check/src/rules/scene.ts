import type { Call, CallGroup, CallRows } from '../calls/call-group.ts';
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

/** What is known before any rule runs. */
export interface BaseScene {
  readonly graph: TraceGraph;
  /** Facts of calls, by the rows of the graph. */
  readonly facts: RowFacts;
  /** Whole calls, grouped by services, protocol and kinds, in the order of their first calls. */
  readonly groups: readonly CallGroup[];
  readonly groupsBetween: (client: string | null, server: string | null) => readonly CallGroup[];
  readonly groupsFrom: (client: string | null) => readonly CallGroup[];
  readonly groupsInto: (server: string | null) => readonly CallGroup[];
  readonly services: Services;
  /** Calls as spans, and the spans of a service, by start. Each look-up makes views of them all, so ask `groups` and `services` first. */
  readonly calls: () => readonly Call[];
  readonly callsBetween: (client: string | null, server: string | null) => readonly Call[];
  readonly callsInto: (server: string | null) => readonly Call[];
  readonly spansOf: (service: string | null) => readonly Span[];
  /** The SERVER and CONSUMER spans of a service, by start. */
  readonly entriesOf: (service: string | null) => readonly Span[];
  /** The spans of a service that `isMeant` accepts, by start. */
  readonly selectSpans: (service: string | null, isMeant: (row: number) => boolean) => readonly Span[];
  readonly expectation: Expectation;
  /** The headers of a call, as far as taps and services saw them. */
  readonly headersOf: HeaderLookup;
  readonly headers: HeaderEvidence;
  /** The end times of the first and the last span that a service delivered; null for a service without spans. */
  readonly coverage: (service: string | null) => Coverage | null;
  /** The end times of the first and the last span of all services. */
  readonly capture: Coverage;
  /** The offsets between clocks. The times of all spans here are already aligned. */
  readonly clockOffsets: ClockOffsets;
  readonly thresholds: Thresholds;
}

export type GraphFacts = Pick<BaseScene, 'graph' | 'facts'>;

/** Everything that a rule may read. A rule does no I/O and changes nothing. */
export interface Scene extends BaseScene {
  readonly shared: SharedResults;
}

/** Intermediate results that several rules use. `shareResults` computes each once for a scene. */
export interface SharedResults {
  /** The services that an expectation allows to call the service. */
  callersExpectedOf(server: string | null): readonly string[];
  /** Whether the edge must exist with direct calls, and not only through other services. */
  isExpectedDirectly(client: string | null, server: string | null): boolean;
  /** Whether calls of `client` reach `server` through services that no expectation names: sidecars and gateways. */
  isReachedThrough(client: string, server: string): boolean;
  /** These calls: the last of each way. */
  listReached(client: string, server: string): readonly CallRows[];
  /** Whether the whole calls to `server` by this instrumentation of the caller all have user agents other than this one. */
  isOtherAgent(client: Span, server: string | null, userAgent: string): boolean;
  readonly answersOf: AnswerLookup;
  /** Calls whose CLIENT span covers a redirect and the request that followed. */
  readonly redirectedCalls: readonly Call[];
  /** The rows of CLIENT and PRODUCER spans with more than one call. Ask `extremes.isRepeated` of the groups first. */
  repeatedClients(): ReadonlySet<number>;
  /** The rows of CLIENT spans that send a request again. */
  resends(): ReadonlySet<number>;
  /** Why a call without a child proves nothing although the called service has spans; null if it may be a break. */
  findUnprovable(client: Span): UnprovableCall | null;
  readonly brokenCalls: BrokenCalls;
  /** For each request, its calls that have no child and do not say what they call. */
  callsOfUnknownProtocol(): CallsOfRequests;
  /** The hosts to which whole calls to the service went; null for a call that names none. */
  hostsOf(server: string | null): ReadonlySet<string | null>;
  routesOf(service: string | null): Routes;
  /** Whether some request of the caller has a call to the service in its own trace. */
  doRequestsCall(client: string | null, server: string | null): boolean;
  shortBatches(): readonly ShortBatches[];
}

/**
 * The requests and messages of a service, without health probes: these come at fixed times, call nothing, and a timer may keep step with
 * them.
 */
export interface Routes {
  /** Grouped by endpoint. */
  readonly all: readonly Group<Span>[];
  /** The routes of which a request was open when one of the calls began; others too if so many were open that the search is too long. */
  during(calls: readonly Span[]): readonly Group<Span>[];
  /** The first start, the last end, and whether a row began while any of them was open. Only for a service that has some. */
  times(): { readonly from: bigint; readonly to: bigint; isDuring(row: number): boolean };
}

/** A batch with fewer links than the number of messages that it holds. */
export interface ShortBatch {
  readonly span: Span;
  readonly unnamed: number;
}

/** Short batches of one service and destination, with a service that sent some of the messages that are in no batch. */
export interface ShortBatches {
  readonly batches: Group<ShortBatch>;
  readonly sender: string | null;
  /** The messages of all senders to the destination that are in no batch. */
  readonly unread: () => readonly Span[];
  /** The number of messages without a link. */
  readonly unnamed: number;
}

/** The calls of each request. The key null holds calls outside of any request. */
export type CallsOfRequests = ReadonlyMap<Span | null, readonly Span[]>;

/** A call that may be whole although no SERVER span has it as parent. */
export interface UnprovableCall {
  /** The called service. */
  readonly service: string | null;
  readonly why: 'cached-answer' | 'dropped-links';
}

/** Calls that exist but are broken. */
export interface BrokenCalls {
  /** The method and path of a call, or else its target. Addresses are left out: proxies, replicas and restarts give one service several. */
  nameOf(row: number): string;
  /** Calls without a child, by `nameOf`. */
  openOf(service: string | null): ReadonlyMap<string, Group<number>>;
  /** The topmost spans of a service in traces in which the called service has a request whose parent is missing. */
  callersReaching(service: string | null, called: string | null): ReadonlySet<number>;
}

/** Facts about services that need no look at their spans. */
export interface Services {
  /** The services that have spans. */
  names(): readonly (string | null)[];
  has(service: string | null): boolean;
  hasKind(service: string | null, kind: Span['kind']): boolean;
  /** Whether it has SERVER or CONSUMER spans. */
  hasEntries(service: string | null): boolean;
  /** Whether it has a span of an outgoing call. */
  isCalling(service: string | null): boolean;
}

/** Nanoseconds since the Unix epoch. */
export interface Coverage {
  readonly from: bigint;
  readonly to: bigint;
}

/** The spans that no earlier rule has explained. */
export interface LooseEnds {
  /** CLIENT and PRODUCER spans that no SERVER or CONSUMER span continues. */
  readonly clients: readonly Span[];
  /** SERVER and CONSUMER spans without a parent and without links. */
  readonly roots: Roots;
  /** Spans whose parent is not in the data. */
  readonly orphans: readonly Span[];
}

/** The loose ends with the findings of the earlier rules. */
export interface Open extends LooseEnds {
  readonly found: readonly Draft[];
  /** The spans that these findings explain. */
  readonly explained: () => ReadonlySet<Span | null>;
}
