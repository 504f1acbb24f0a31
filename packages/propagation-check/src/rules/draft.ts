import { readCallFacts } from '../calls/call-facts.ts';
import type { EdgeProtocol } from '../calls/call-group.ts';
import type { RecordingGap } from '../headers/recording.ts';
import type { PairSides } from '../pairing/pair-spans.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import type { FindingId, Severity } from './finding.ts';
import type { ProjectHint } from './project-hint.ts';

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

/** The parent of an orphan, for people; flags that say that it is remote prove that a header arrived. */
export function nameParent(server: Span): string {
  const proof = isParentRemote(server) === true ? ' (remote by its flags: a header arrived)' : '';
  return `parent ${server.parentSpanId}${proof}`;
}
