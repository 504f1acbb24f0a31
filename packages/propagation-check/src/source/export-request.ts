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
  /** Of the valid ones; 0 for metrics and logs. */
  readonly spanCount: number;
  /** The valid ones, where others were left out; null where the body is valid as it is. */
  readonly validSpans: readonly Span[] | null;
}

/** Where exports go beside the memory. */
export interface ExportSink {
  /** Resolves when the next one may come. Never rejects. */
  take(accepted: AcceptedExport): Promise<void>;
  /** Ends what is under way. @throws {SourceError} when what should be there is not. */
  close(): Promise<void>;
}

/** Where a receiver listens itself. */
export interface OwnAddress {
  readonly host: string;
  readonly ports: readonly number[];
}

/** Common to the protocols. */
export interface Receiving {
  readonly limits: BodyLimits;
  readonly inTurn: InTurn;
  /**
   * Keeps the valid spans of an export, and hands it on. Metrics and logs are not decoded.
   * @returns Why spans were left out.
   * @throws {DecodeError} when it cannot be read.
   */
  readonly accept: (request: ExportRequest) => Promise<readonly DecodeError[]>;
  /**
   * Whether clients retry an export that was not answered. Then an export whose client disconnected while it waited is not accepted, so that
   * it does not count twice. Over gRPC it is never accepted. Set it to false where the clients are processes that have ended.
   */
  readonly isSentAgain?: boolean;
  /** Asked before a body is read. @throws {RefusedRequest} when no more can be taken. */
  readonly admit?: () => void;
  /** Told of each request that is answered with an error. */
  readonly onRefusal?: (refusal: RefusedRequest) => void;
  /** Told why, each time something is not accepted. */
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
  // A status that clients do not retry: it would fail again.
  return new RefusedRequest(500, rpcCode.internal, `a fault of this tool: ${messageOf(error)}`);
}
