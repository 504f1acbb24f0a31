import { readCallFacts } from '../calls/call-facts.ts';
import type { EdgeProtocol } from '../calls/call-group.ts';
import { isOfTemporal } from '../calls/invocations.ts';
import type { RecordingGap } from '../headers/recording.ts';
import type { PairSides } from '../pairing/pair-spans.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import type { FindingId, Severity } from './finding.ts';
import type { ProjectHint } from './project-hint.ts';

/** The place where another tap would decide the cause. */
export interface NextTap {
  readonly side: 'caller' | 'callee';
  /** The addresses of the taps that already saw the calls. */
  readonly calledAt: readonly string[];
  /** The sides whose headers are known already. */
  readonly seen: readonly ('caller' | 'callee')[];
}

/** One call that shows a finding. Either side may be missing from the data. */
export interface Shown {
  readonly client: Span | null;
  readonly server: Span | null;
  /** The request of the caller during which the call was made, if the call itself has no CLIENT span. */
  readonly during?: Span;
  readonly says: string;
}

/** What a rule reports. `check-traces.ts` counts the calls and adds the prose. */
export interface Draft {
  readonly id: FindingId;
  /** What the spans alone show. Set only if headers name the cause, or confirm another one. */
  readonly symptom?: FindingId;
  readonly severity: Severity;
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly candidates?: readonly FindingId[];
  /** The cause is inferred from times and counts. */
  readonly isLikely?: boolean;
  /** Why a finding that would be an error is only a warning. */
  readonly doubt?: Doubt;
  /** Sides that record headers on other spans, and why the missing headers on these spans prove nothing. */
  readonly recordingGaps?: { readonly [side in 'client' | 'server']?: RecordingGap };
  /** Other facts that the data show, in sentences. */
  readonly facts?: readonly string[];
  /** Where a tap would decide the cause, given the taps that saw the calls already. */
  readonly nextTap?: NextTap | null;
  /** Faults in the project's files that lead to one of the first candidates. */
  readonly inProject?: readonly ProjectHint[];
  readonly shown: readonly Shown[];
  /** Spans that this report explains, in addition to those in `shown`. */
  readonly explains?: readonly Span[];
  /** The address of a peer without spans. */
  readonly peer?: string;
  /** The service whose spans are probably missing as a whole. */
  readonly hop?: DarkHop;
  readonly ended?: EndedCalls;
  /**
   * Requests that a service in between passed on with the header that it received. Without this report their calls look whole and direct.
   */
  readonly passed?: PassedBy;
}

/** A service that called another one and of which the data hold no span: an expectation names it, or a call to its address. */
export type DarkHop =
  | { readonly service: string; readonly address: null }
  | { readonly service: null; readonly address: string };

/** Why a break is only a warning. For people, in sentences. */
export interface Doubt {
  readonly says: string;
  /** Steps that make it an error or remove it, the cheapest first. */
  readonly decide: readonly string[];
}

/** How calls without a SERVER span ended, where their end does not show whether the peer emits spans. */
export interface EndedCalls {
  /** Calls that failed before an answer. */
  readonly failed?: number;
  /**
   * Calls that ended with a status that a hop or the caller's own library may have given instead of the peer (UNAVAILABLE, 14, in gRPC).
   */
  readonly unavailable?: number;
  /** Calls that the caller aborted. */
  readonly aborted?: number;
  /** Calls that were answered while other calls to the same address are whole. */
  readonly answered?: number;
}

/** Requests that a service passed on, and whose spans hang under the call to that service. */
export interface PassedBy {
  readonly service: string | null;
  readonly servers: readonly Span[];
}

/** The spans that a report explains. */
export function listExplained({ shown, explains = [] }: Draft): readonly (Span | null)[] {
  return [...shown.flatMap(({ client, server }) => [client, server]), ...explains];
}

/** The protocol of the edge that the span belongs to. */
export function protocolOf(span: Span | undefined): EdgeProtocol {
  if (span === undefined) return 'http';
  const { protocol } = readCallFacts(span);
  if (protocol !== 'database' && protocol !== 'unknown') return protocol;
  return isOfTemporal(span) ? 'internal' : 'http';
}

/** The edge of a pair, in the fields of a report. */
export function edgeOf({ client, server }: PairSides): Pick<Draft, 'client' | 'server' | 'protocol'> {
  return { client: client.serviceName, server: server.serviceName, protocol: protocolOf(client) };
}

/** The parent of an orphan, for people. A "remote" flag on the span proves that a header arrived. */
export function nameParent(server: Span): string {
  const proof = isParentRemote(server) === true ? ' (remote by its flags: a header arrived)' : '';
  return `parent ${server.parentSpanId}${proof}`;
}
