import type { EdgeProtocol } from '../calls/call-group.ts';
import type { Span } from '../span/span.ts';

/** Calls of an edge that has whole ones, of which nothing shows whether they are whole. */
export interface OpenCalls {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly calls: number;
  /** The sides that are here. */
  readonly spans: readonly Span[];
  /**
   * Why, and what decides; null where they leave the verdict as it is: nobody expects the edge, or a report speaks of it, and a cache or the end of the
   * capture makes the same picture.
   */
  readonly says: string | null;
  /** Messages of an expected edge without their other side, sent and received: some of them may be the same. */
  readonly isOnBothSides?: boolean;
}

/** Before their protocol is looked for. */
export type DescribedCalls = Omit<OpenCalls, 'protocol'>;
