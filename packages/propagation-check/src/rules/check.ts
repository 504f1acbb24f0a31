import { readCallFacts } from '../calls/call-facts.ts';
import { type Call, type CallGroup, type EdgeProtocol, groupCalls, measureLag } from '../calls/call-group.ts';
import type { Roots } from '../calls/roots.ts';
import type { RowFacts } from '../calls/row-facts.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import type { Expectation, ExpectedEdge } from '../expect/expectation.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { RecordingGap } from '../headers/recording.ts';
import type { HeaderEvidence, HeaderLookup } from '../headers/wire.ts';
import type { ClockOffsets } from '../pairing/align-clocks.ts';
import type { AnswerLookup } from '../pairing/answers.ts';
import type { PairSides } from '../pairing/pair.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { type Group, keyFor } from '../util/group-by.ts';
import type { FindingId, Severity } from './finding.ts';
import { leftOut } from './left-out-links.ts';
import type { ProjectHint } from './project-hint.ts';
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

/** The calls of each request; none of null. */
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

/** Where a tap is missing. */
export interface NextTap {
  readonly side: 'caller' | 'callee';
  /** The addresses of the taps that saw the calls already. */
  readonly calledAt: readonly string[];
  /** The sides whose headers are known. */
  readonly seen: readonly ('caller' | 'callee')[];
}

/** One call that shows a finding. Either side may be missing in the data. */
export interface Shown {
  readonly client: Span | null;
  readonly server: Span | null;
  /** Where the caller made no span of the call: its span during which the call was made. */
  readonly during?: Span;
  readonly says: string;
}

/** The report of a rule; `check-traces.ts` counts it and adds the prose. */
export interface Draft {
  readonly id: FindingId;
  /** Only where headers name the cause, or confirm another: what the spans alone show. */
  readonly symptom?: FindingId;
  readonly severity: Severity;
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly candidates?: readonly FindingId[];
  /** The cause is argued from times and counts. */
  readonly isLikely?: boolean;
  /** Only of warnings with a cause: without it they would be errors. */
  readonly doubt?: Doubt;
  /** Sides that record headers on other spans, and why those that these lack prove nothing. */
  readonly recordingGaps?: { readonly [side in 'client' | 'server']?: RecordingGap };
  /** What the data show beside the calls, in sentences. */
  readonly facts?: readonly string[];
  /** Where a tap would decide, as far as taps have seen the calls. */
  readonly nextTap?: NextTap | null;
  /** Faults in the files of the project that are among the first candidates. */
  readonly inProject?: readonly ProjectHint[];
  readonly shown: readonly Shown[];
  /** Spans that are explained by this beside those in `shown`. */
  readonly explains?: readonly Span[];
  /** Only of calls to a peer without spans: its address. */
  readonly peer?: string;
  readonly ended?: EndedCalls;
  /** Requests that a service in between handed on with the header that it received: without this report their calls look whole and direct. */
  readonly passed?: PassedBy;
}

/** Why a break is a warning. For people, in sentences. */
export interface Doubt {
  readonly says: string;
  /** Steps after which it is an error, or gone; the cheapest first. */
  readonly decide: readonly string[];
}

/** Calls without a SERVER span that say nothing of whether their peer emits spans: how many ended so. */
export interface EndedCalls {
  /** Before an answer. */
  readonly failed?: number;
  /** With a status that a hop may have given in place of the peer, or the caller's own library (14 of gRPC). */
  readonly unavailable?: number;
  /** By the caller. */
  readonly aborted?: number;
  /** While other calls to the same address are whole. */
  readonly answered?: number;
}

/** Requests that a service handed on, and that hang below the call to it. */
export interface PassedBy {
  readonly service: string | null;
  readonly servers: readonly Span[];
}

/** The spans that a report speaks of. */
export function listExplained({ shown, explains = [] }: Draft): readonly (Span | null)[] {
  return [...shown.flatMap(({ client, server }) => [client, server]), ...explains];
}

/** The protocol of the edge that a span is a side of. */
export function protocolOf(span: Span | undefined): EdgeProtocol {
  const protocol = span === undefined ? 'http' : readCallFacts(span).protocol;
  return protocol === 'database' || protocol === 'unknown' ? 'http' : protocol;
}

/** The edge that a pair is a call of, as a report names it. */
export function edgeOf({ client, server }: PairSides): Pick<Draft, 'client' | 'server' | 'protocol'> {
  return { client: client.serviceName, server: server.serviceName, protocol: protocolOf(client) };
}

/**
 * Whether a pair of loose ends can be one call, by what is expected of the server. When others are expected to call
 * it, one of them must be there and make no calls: a dark one stood in between, and one that calls explains it.
 */
export function isPlausible(scene: Scene, client: string | null, server: string | null): boolean {
  if (isExpectedCaller(scene, client, server)) return true;
  return scene.expectation.edges
    .filter((edge) => edge.server === server && edge.rule !== 'must-not')
    .some((edge) => scene.services.has(edge.client) && !scene.services.isCalling(edge.client));
}

/** Edges that must exist, have no whole call and none that may be one unseen, and are in no report of an earlier rule. */
export function listUnseenEdges(scene: Scene, open: Open): readonly ExpectedEdge[] {
  return scene.expectation.edges.filter(
    (edge) =>
      edge.rule === 'must' &&
      !hasCall(scene, edge.client, edge.server) &&
      !scene.shared.isReachedThrough(edge.client, edge.server) &&
      listUnprovable(scene, open.clients, edge).length === 0 &&
      countUnlinked(scene, edge) === 0 &&
      findUnnamedSide(scene, edge, open.found) === null &&
      !hasError(open, edge) &&
      !open.found.some((draft) => draft.id === 'missing-server' && isSameEdge(draft, edge)),
  );
}

/** How many messages of a service name others than their spans say, where the caller sends messages: links are left out. */
export function countUnlinked(
  { graph, facts, services }: Pick<BaseScene, 'graph' | 'facts' | 'services'>,
  { client, server }: { readonly client: string | null; readonly server: string | null },
): number {
  if (!services.hasKind(client, 'PRODUCER')) return 0;
  let count = 0;
  for (const row of graph.rowsOfService(server))
    if (graph.hasDroppedLinks(row) && graph.isEntry(row) && facts.protocolOf(row) === 'messaging') count += 1;
  return count;
}

/** The calls of an edge of which nothing can tell whether they are whole. */
export function listUnprovable(
  { shared }: Scene,
  clients: readonly Span[],
  { client, server }: Pick<ExpectedEdge, 'client' | 'server'>,
): readonly UnprovableCall[] {
  return clients.flatMap((span) => {
    const call = span.serviceName === client ? shared.findUnprovable(span) : null;
    return call?.service === server ? [call] : [];
  });
}

export function tellUnprovable({ service, why }: UnprovableCall): string {
  return why === 'cached-answer'
    ? 'the answer names a span of another call: a cache gave it, or clocks are apart'
    : `a request of ${service ?? 'a service without a name'} that fits began a trace, and links of it are ${leftOut}`;
}

/** Whether an error of the edge is reported already. */
export function hasError({ found }: Pick<Open, 'found'>, edge: Pick<Draft, 'client' | 'server'>): boolean {
  return found.some((draft) => draft.severity === 'error' && isSameEdge(draft, edge));
}

/** Whether the expectations speak of a service. */
export function isInExpectation({ expectation }: BaseScene, service: string | null): boolean {
  return expectation.edges.some((edge) => edge.client === service || edge.server === service);
}

/** A service of an edge that is expected, has no spans, and may be the one without a name on the other side of calls. */
export interface UnnamedSide {
  readonly side: 'client' | 'server';
  /** Of the service without a name. */
  readonly as: string | null;
}

/** @param broken Reports of calls that are not whole. */
export function findUnnamedSide(
  scene: Scene,
  { client, server }: Omit<ExpectedEdge, 'rule'>,
  broken: readonly Pick<Draft, 'client' | 'server' | 'severity'>[],
): UnnamedSide | null {
  if (scene.services.has(client) === scene.services.has(server)) return null;
  const [side, other, known] = scene.services.has(client)
    ? (['server', 'client', client] as const)
    : (['client', 'server', server] as const);
  const calls = [...scene.groups, ...broken.filter(({ severity }) => severity === 'error')];
  // A report without a name on one side may know nothing of that side.
  const found = calls.find(
    (call) => call[other] === known && isUnnamed(call[side]) && scene.services.has(call[side]),
  );
  return found === undefined ? null : { side, as: found[side] };
}

/** SDKs write `unknown_service` where nobody gave a name (semantic conventions, resource, "service.name"). */
export function isUnnamed(service: string | null): boolean {
  return service === null || /^unknown_service(:|$)/.test(service);
}

export function hasCall(scene: BaseScene, client: string | null, server: string | null): boolean {
  return scene.groupsBetween(client, server).length > 0;
}

/**
 * Whether a service would have delivered a span that ended between two times. Spans are delivered when they end, and
 * the beginning and the end of a capture cut traces: what a service may have delivered before its first span
 * of the capture, or after its last, proves nothing.
 */
export function isCovered(scene: Scene, service: string | null, from: bigint, to: bigint): boolean {
  const coverage = scene.coverage(service);
  return coverage === null || (coverage.from <= from && coverage.to >= to);
}

/**
 * Whether the missing parent of a span would be in the data, had it been delivered: some known caller of its service
 * delivered spans that ended when the parent should have, which is after its child by as much as in whole calls.
 */
export function isParentDue(scene: Scene, server: Span): boolean {
  const edges = groupCalls(scene.groupsInto(server.serviceName), ({ client }) => keyFor(client));
  if (edges.length === 0) return true;
  return edges.some((groups) => {
    const caller = groups[0]?.client ?? null;
    const end = server.endTimeUnixNano + measureLag(groups, 'client');
    return isCovered(scene, caller, server.startTimeUnixNano, end);
  });
}

/** The parent of an orphan, for people; flags that say that it is remote prove that a header arrived. */
export function nameParent(server: Span): string {
  const proof = isParentRemote(server) === true ? ' (remote by its flags: a header arrived)' : '';
  return `parent ${server.parentSpanId}${proof}`;
}

/**
 * Whether the expectations allow a direct call: without a word about the server every call is, and so is that of a
 * sidecar or a gateway of which they do not speak and other calls are whole.
 */
export function isExpectedCaller(scene: Scene, client: string | null, server: string | null): boolean {
  if (scene.expectation.edges.length === 0) return true;
  const callers = scene.expectation.edges.filter(
    (edge) => edge.server === server && edge.rule !== 'must-not',
  );
  if (callers.length === 0 || callers.some((edge) => edge.client === client)) return true;
  return !isInExpectation(scene, client) && hasCall(scene, client, server);
}
