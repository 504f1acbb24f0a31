import type { EdgeProtocol } from '../calls/call-group.ts';
import type { Span } from '../span/span.ts';

/** Calls of an edge, where nothing shows whether they are whole. */
export interface OpenCalls {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly calls: number;
  /** The sides that are in the capture. */
  readonly spans: readonly Span[];
  /**
   * The reason and what decides. Null where the calls do not affect the verdict: the edge is not expected, or a finding reports it, and a
   * cache or the end of the capture explains the calls as well.
   */
  readonly says: string | null;
  /** Messages of an expected edge lack their other side at sender and receiver: some of them may be the same messages. */
  readonly isOnBothSides?: boolean;
}

/** Open calls before their protocol is known. */
export type DescribedCalls = Omit<OpenCalls, 'protocol'>;
