import type { EdgeProtocol } from '../calls/call-group.ts';
import type { EndedCalls } from '../rules/draft.ts';
import type { UnreportedEnd } from '../rules/explain-loose-ends.ts';
import type { FindingId, Severity } from '../rules/finding.ts';
import { keyFor } from '../util/group-by.ts';

/**
 * The result of a check: the JSON report, version 1. Other programs read it, so fields may be added but never renamed. An optional field is
 * absent where it has nothing to say.
 */
export interface Result {
  readonly version: 1;
  /**
   * `broken`: a finding has severity `error` and is neither known nor tolerated. `intact`: no such finding, an edge was judged or an
   * expectation holds, and nothing is undecided. Otherwise `unknown`.
   */
  readonly verdict: 'intact' | 'broken' | 'unknown';
  /** Number of traces read. */
  readonly traces: number;
  /** Number of spans read. */
  readonly spans: number;
  readonly edges: readonly EdgeResult[];
  readonly findings: readonly Finding[];
  /** Expectations and edges that the capture neither proves nor refutes. With any of them, a result is not `intact`. */
  readonly undecided?: readonly Undecided[];
  /** Calls that may belong to an edge and that nothing in the capture can judge. */
  readonly unjudged?: readonly UnjudgedEdge[];
  /** Entries of baggage that requests of this tool carried, where nothing shows whether they arrived; in words. */
  readonly unshownBaggage?: readonly string[];
  /** With `explain`: the loose ends that are not reported as broken, and why. */
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
  /** Judged calls, whole or broken. Each request and each received message counts, also if one span received several messages. */
  readonly calls: number;
  readonly broken: number;
  /** Further calls, which a warning leaves open or whose other side is missing. */
  readonly unjudged?: number;
  /** How many of `calls` arrived with their context but may have lost it inside the caller, as a warning with `doubt` says. */
  readonly doubtful?: number;
  /**
   * Of expected edges: some of `unjudged` are messages that nobody received here while messages of the receiver began traces, so that their
   * context may be lost.
   */
  readonly openOnBothSides?: true;
  /** The baseline accepts every error of the edge. */
  readonly known?: true;
  /** One side is a tolerated peer: the edge is listed but not judged. */
  readonly tolerated?: true;
  /** Some whole calls went through another service, whose spans are skipped because of a break elsewhere. */
  readonly past?: PastService;
}

/** Calls of an edge that went through another service although the spans connect its two sides directly. */
export interface PastService {
  /** If calls went through several services, the one that most went through. */
  readonly service: string | null;
  readonly calls: number;
}

/**
 * Calls that nothing in the capture judges: calls to an internal peer that has no SERVER span; messages that nobody received; requests that
 * began traces while another service had requests open, or, where nothing is judged, traces that another service may have caused; calls
 * that a service without spans forwarded, or that began traces after requests; and, if `client` is null, requests and messages of unknown
 * origin.
 */
export interface UnjudgedEdge {
  readonly client: string | null;
  /**
   * The address as the caller writes it, `orders:8082`; the destination of messages; or the service that received requests or messages of
   * unknown origin.
   */
  readonly peer: string;
  readonly calls: number;
  /** Set for messages. */
  readonly protocol?: 'messaging';
  /**
   * The callee or receiver, if other calls to the peer are whole but the callee has no spans from the time of these calls, or if it
   * received other messages of the destination. With `unseen-hop` and `after-request`, the service that has the SERVER spans of these
   * calls.
   */
  readonly server?: string;
  /**
   * Services that may be the other side, because their requests or messages began traces and fit. If `client` is null: services that send
   * to the same destination.
   */
  readonly mayBe?: readonly string[];
  /**
   * `cached-answer`: a cache returned the answer of another call. `dropped-links`: an SDK dropped the links of SERVER spans that may belong
   * to these calls. `unseen-hop`: whole calls that reached `server` through a service without spans. `after-request`: whole calls that
   * began traces, while requests that may have made them lack them. `short-batch`: messages, as many as links are missing in batches of `server`.
   * `linked-elsewhere`: messages of `mayBe` from this destination link to spans that are not in the capture. `waiting`: messages sent at the
   * end of the capture, while `server` received earlier ones.
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
   * Of messages, in sentences: what the replica that sent them has in common, what the batches show, or (`linked-elsewhere`) what the links
   * show.
   */
  readonly facts?: readonly string[];
  /** Of messages: how many messages of `server` from the destination began traces. */
  readonly began?: number;
  /** Of messages: how many more were sent at the end of the capture and may not have been received yet. */
  readonly late?: number;
}

/**
 * A statement that the capture neither proves nor refutes: an expected edge without a call and without an error; a forbidden edge whose
 * callee has no spans but is called by its name; an edge whose requests show no call and enclose traces of the callee, or on which too few
 * calls are judged; a service whose traces began during requests of this tool to others; expected baggage that nobody recorded.
 */
export interface Undecided {
  /** Null for baggage, and if several services may be the caller. */
  readonly client: string | null;
  readonly server: string | null;
  /** Set if too few calls of the edge are judged. */
  readonly protocol?: EdgeProtocol;
  readonly says: string;
  /** The warning that leaves most of the calls open. If a baseline accepts it, the edge is no longer undecided. */
  readonly finding?: FindingId;
}

/** A break of an edge, or a fact about it (severity `info`). */
export interface Finding {
  /** The cause if it is decided, otherwise the symptom. */
  readonly id: FindingId;
  /** Of warnings whose cause headers name: the symptom that the spans alone show. */
  readonly symptom?: FindingId;
  readonly severity: Severity;
  /** Null where the capture does not name the service. */
  readonly client: string | null;
  readonly server: string | null;
  /** The protocol of the calls that show it. */
  readonly protocol: EdgeProtocol;
  /**
   * `certain`: the spans admit no other cause. `likely`: inferred from times and counts, which few calls do not make certain. `undecided`:
   * a symptom, with candidates.
   */
  readonly confidence: 'certain' | 'likely' | 'undecided';
  /** How many calls show it. */
  readonly count: number;
  /** Possible causes, the likeliest first, if the cause is undecided. */
  readonly candidates?: readonly FindingId[];
  readonly evidence: readonly Evidence[];
  /** Further facts about these calls, in sentences: why a candidate is less likely, what only the broken calls have in common. */
  readonly facts?: readonly string[];
  /** Of `uninstrumented-peer`: the peer's address as the caller writes it. */
  readonly peer?: string;
  /** Of `uninstrumented-peer`: calls that do not show whether their peer has spans. */
  readonly ended?: EndedCalls;
  /** With `--project`, if the cause is undecided: what the project's files show of the first candidates. */
  readonly project?: readonly ProjectEvidence[];
  /** The instrumentation scopes of the two services' spans; a missing one may be the cause. */
  readonly scopes: { readonly client: readonly string[]; readonly server: readonly string[] };
  /** What to change, in one line. If the cause is undecided, for the best candidate, and it begins with `if <candidate>: `. */
  readonly fix: string;
  /** Why the finding is a warning and not an error, if the cause is decided. */
  readonly doubt?: string;
  /** If the cause is undecided or in doubt: steps that decide it, the cheapest first. */
  readonly decide?: readonly string[];
  readonly docs: string;
  /** The baseline accepts the finding. */
  readonly known?: true;
  /** One side is a tolerated peer. */
  readonly tolerated?: true;
}

/** A fault in a project's files that breaks propagation. */
export interface ProjectEvidence {
  /** The name of the `doctor` check. */
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
  /** The callee's span if both sides are known; `traceId` and `spanId` are then the caller's. */
  readonly server?: { readonly traceId: string; readonly spanId: string };
  /** The caller's span during which the call was made, if the caller has no span of the call. */
  readonly during?: { readonly traceId: string; readonly spanId: string };
  readonly says: string;
}
