import { DecodeError } from '../decode/decode-error.ts';
import { TooLargeError } from '../decode/gunzip.ts';
import type { Span } from '../span/span.ts';
import { messageOf } from '../util/message-of.ts';
import { type OtlpContentType, rpcCode } from './otlp-response.ts';
import { type BodyLimits, type InTurn, RefusedRequest } from './request-body.ts';

/** The kind of telemetry in an export. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** An export that a service sent, whatever the protocol. */
export interface ExportRequest {
  readonly signal: Signal;
  readonly type: OtlpContentType;
  /** Uncompressed. */
  readonly body: Uint8Array;
}

export interface AcceptedExport extends ExportRequest {
  /** The number of valid spans; 0 for metrics and logs. */
  readonly spanCount: number;
  /** The valid spans if others were left out; null if the whole body is valid. */
  readonly validSpans: readonly Span[] | null;
}

/** Another destination of exports, in addition to memory. */
export interface ExportSink {
  /** Resolves when the sink can take the next export. Never rejects. */
  take(accepted: AcceptedExport): Promise<void>;
  /** Finishes pending work. @throws {SourceError} when the output is incomplete. */
  close(): Promise<void>;
}

/** The address on which a receiver listens. */
export interface OwnAddress {
  readonly host: string;
  readonly ports: readonly number[];
}

/** What both protocols need to receive exports. */
export interface Receiving {
  readonly limits: BodyLimits;
  readonly inTurn: InTurn;
  /**
   * Stores the valid spans of an export, and passes the export on. Metrics and logs are not decoded.
   * @returns Why spans were left out.
   * @throws {DecodeError} when the export cannot be read.
   */
  readonly accept: (request: ExportRequest) => Promise<readonly DecodeError[]>;
  /**
   * Whether clients retry an export that was not answered. If so, an export whose client disconnected while it waited is not accepted, so
   * that it does not count twice. Over gRPC it is never accepted. Set it to false if the clients are processes that have ended.
   */
  readonly isSentAgain?: boolean;
  /** Called before a body is read. @throws {RefusedRequest} when no more can be accepted. */
  readonly admit?: () => void;
  /** Called for each request that is answered with an error. */
  readonly onRefusal?: (refusal: RefusedRequest) => void;
  /** Called with the reason each time a request is not accepted. */
  readonly complain: (message: string) => void;
}

export function describeRefusal({ message }: Pick<RefusedRequest, 'message'>): string {
  return `a request was refused: ${message}`;
}

export function toRefusal(error: unknown): RefusedRequest {
  if (error instanceof RefusedRequest) return error;
  if (error instanceof TooLargeError)
    return new RefusedRequest(413, rpcCode.resourceExhausted, error.message);
  if (error instanceof DecodeError) return new RefusedRequest(400, rpcCode.invalidArgument, error.message);
  // Clients do not retry this status: the request would fail again.
  return new RefusedRequest(500, rpcCode.internal, `a fault of this tool: ${messageOf(error)}`);
}
