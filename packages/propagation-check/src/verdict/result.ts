import type { EdgeProtocol } from '../calls/call-group.ts';
import type { EndedCalls } from '../rules/draft.ts';
import type { UnreportedEnd } from '../rules/explain-loose-ends.ts';
import type { FindingId, Severity } from '../rules/finding.ts';
import { keyFor } from '../util/group-by.ts';

/**
 * The result of a check of some traces. This is the JSON report, version 1:
 * other programs read it, so fields may be added and never renamed.
 */
export interface Result {
  readonly version: 1;
  /**
   * `broken` when a finding has severity `error` and is neither known nor tolerated; `intact` when none is so, an edge was judged
   * or an expectation holds, and nothing is undecided; otherwise `unknown`.
   */
  readonly verdict: 'intact' | 'broken' | 'unknown';
  /** Number of traces read. */
  readonly traces: number;
  /** Number of spans read. */
  readonly spans: number;
  readonly edges: readonly EdgeResult[];
  readonly findings: readonly Finding[];
  /** Only where there are any: expectations and edges that nothing here proves or refutes. A result with any is not `intact`. */
  readonly undecided?: readonly Undecided[];
  /** Only where there are any: calls that may be those of an edge, and that nothing here can judge. */
  readonly unjudged?: readonly UnjudgedEdge[];
  /** Only where there are any: entries of baggage that requests of this tool carried, of which nothing shows whether they arrived, in words. */
  readonly unshownBaggage?: readonly string[];
  /** Only where it was asked for: the loose ends of which nothing is reported as broken, and why. */
  readonly explain?: readonly UnreportedEnd[];
}

export function nameEdge({ client, server, protocol }: Place): string {
  return keyFor(client, server, protocol);
}

/** Where a finding or a call is. */
export type Place = Pick<EdgeResult, 'client' | 'server' | 'protocol'>;

/** The calls between two services. */
export interface EdgeResult {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  /** Those that were judged, whole or broken. Each request and each message that was received is one, also those that one span received together. */
  readonly calls: number;
  readonly broken: number;
  /** Only where there are any: further calls, which a warning leaves open or of which the other side is not here. */
  readonly unjudged?: number;
  /** Only where there are any: so many of the calls arrived with their context, and may have lost it inside of the caller, as a warning with `doubt` says. */
  readonly doubtful?: number;
  /** Only of expected edges: some of `unjudged` are messages that nobody received here, and messages of the receiver began traces, so that their context may be lost. */
  readonly openOnBothSides?: true;
  /** Every error of the edge is in the baseline. */
  readonly known?: true;
  /** One side is a tolerated peer: the edge is listed and not judged. */
  readonly tolerated?: true;
  /** Only where a break elsewhere makes them whole calls of this edge. */
  readonly past?: PastService;
}

/** Calls of an edge that went through other services, although their spans are connected as if these were not there. */
export interface PastService {
  /** Of several the one that most of them went through. */
  readonly service: string | null;
  readonly calls: number;
}

/**
 * Calls of a service to a peer that looks like one of the same system and of which no SERVER span is here; messages that nobody received
 * here; requests of a peer that began traces of their own while requests of that service were open, or, where nothing is judged, traces of a
 * peer that the service may have caused; calls that a service without spans handed on, or that began traces after requests; or, without a client, requests and messages
 * that a service received, and of which nothing shows where they come from.
 */
export interface UnjudgedEdge {
  readonly client: string | null;
  /** As the caller addresses it, `orders:8082`, the destination of messages, or the service that received them. */
  readonly peer: string;
  readonly calls: number;
  /** Only of messages. */
  readonly protocol?: 'messaging';
  /**
   * Only where other calls to the peer are whole: the service that has their SERVER spans, and none from the time of these; or that received other
   * messages of the destination; or, with `unseen-hop` and `after-request`, that has the SERVER spans of these.
   */
  readonly server?: string;
  /**
   * Only where there are any: the services that may be on the other side. Requests or messages of them began traces and fit; or, where
   * the client is null, they send to the same destination.
   */
  readonly mayBe?: readonly string[];
  /**
   * Only of calls whose SERVER spans may be here: a cache gave the answer of another call, or links of such SERVER spans were left out; and of
   * whole calls that reached `server` through a service without spans, or that each began a trace after a request of one route; and of messages,
   * as many as batches of `server` have links too few; and of messages to a destination from which the messages of `mayBe` link to spans that are not here, or that were all
   * sent at the end of the capture (`waiting`), while `server` received others.
   */
  readonly why?:
    | 'cached-answer'
    | 'dropped-links'
    | 'unseen-hop'
    | 'after-request'
    | 'short-batch'
    | 'linked-elsewhere'
    | 'waiting';
  /**
   * Only of messages of which others of the destination were received, and where there are any: what the replica that sent these, or the batches tell, in
   * sentences. With `linked-elsewhere`, what the links tell.
   */
  readonly facts?: readonly string[];
  /** Only of such messages, and where there are any: so many messages of `server` from the destination began traces. */
  readonly began?: number;
  /** Only of such messages, and where there are any: so many more were sent at the end of the capture, and may wait to be received. */
  readonly late?: number;
}

/**
 * A statement that the data neither prove nor refute: an expected edge without a call and without an error; a forbidden one whose callee has no spans and is
 * called by its name; an edge whose requests show no call and enclose traces of the callee, or of which at least as many calls are open as are judged; an expected entry of baggage that nobody recorded.
 */
export interface Undecided {
  /** Null for baggage. */
  readonly client: string | null;
  readonly server: string | null;
  /** Only where calls of the edge are open, as many as are judged or more: theirs. */
  readonly protocol?: EdgeProtocol;
  readonly says: string;
  /** Only where warnings leave at least half of the calls of an edge open: that with the most calls. Where those are known, the edge is no longer undecided. */
  readonly finding?: FindingId;
}

/** Something that is wrong with an edge, or worth knowing of it. */
export interface Finding {
  /** The cause when it is decided, otherwise the symptom. */
  readonly id: FindingId;
  /** Only of warnings of which headers name the cause: the symptom that the spans alone show. */
  readonly symptom?: FindingId;
  readonly severity: Severity;
  /** Null where the data does not know the service. */
  readonly client: string | null;
  readonly server: string | null;
  /** Of the edge whose calls show it. */
  readonly protocol: EdgeProtocol;
  /**
   * `certain`: the data admit no other cause. `likely`: argued from times and counts, which many calls make sure and few
   * do not. `undecided`: a symptom, with candidates.
   */
  readonly confidence: 'certain' | 'likely' | 'undecided';
  /** How many calls of the edge show it. */
  readonly count: number;
  /** Best first; only where the evidence leaves the cause open. */
  readonly candidates?: readonly FindingId[];
  readonly evidence: readonly Evidence[];
  /** Only where there are any: what else the data show of these calls, in sentences: why a candidate is less likely, what the broken calls alone have. */
  readonly facts?: readonly string[];
  /** Only of `uninstrumented-peer`, where the calls name it: as the caller addresses it. */
  readonly peer?: string;
  /** Only of `uninstrumented-peer`, where some of the calls say nothing of whether their peer emits spans. */
  readonly ended?: EndedCalls;
  /** Only with `--project`, where the cause is undecided: what its files have of the first candidates. */
  readonly project?: readonly ProjectEvidence[];
  /** The instrumentations that made the spans of the two services; some may be conspicuously missing. */
  readonly scopes: { readonly client: readonly string[]; readonly server: readonly string[] };
  /** One line: what to change. Where the cause is undecided that of the best candidate, and it begins with `if <candidate>: `. */
  readonly fix: string;
  /** Only of warnings that would otherwise be errors, where the cause is decided: why. */
  readonly doubt?: string;
  /** Only where the cause is undecided, or there is doubt: what to do so that the next report names it, or is sure, the cheapest first. */
  readonly decide?: readonly string[];
  readonly docs: string;
  /** The baseline has it. */
  readonly known?: true;
  /** One side is a tolerated peer. */
  readonly tolerated?: true;
}

/** A place in the files of a project that breaks propagation. */
export interface ProjectEvidence {
  /** The name of the check of `doctor`. */
  readonly check: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly says: string;
}

/** A span that shows a finding. */
export interface Evidence {
  readonly traceId: string;
  readonly spanId: string;
  /** The called side when both sides of the call are known; `traceId` and `spanId` are then the caller's. */
  readonly server?: { readonly traceId: string; readonly spanId: string };
  /** The caller's span during which the call was made, when it made no span of the call itself. */
  readonly during?: { readonly traceId: string; readonly spanId: string };
  readonly says: string;
}
