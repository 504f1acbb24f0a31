import { DecodeError } from '../decode/decode-error.ts';
import { TooLargeError } from '../decode/gunzip.ts';
import { decodeOtlpJson } from '../decode/otlp-json.ts';
import { decodeOtlpProtobuf } from '../decode/otlp-protobuf.ts';
import { parseJson } from '../decode/parse-json.ts';
import type { Span } from '../span/span.ts';
import { type OtlpContentType, rpcCode } from './otlp-response.ts';
import { type BodyLimits, type InTurn, RefusedRequest } from './request-body.ts';

export type Signal = 'traces' | 'metrics' | 'logs';

/** What a service sent, whatever the protocol. */
export interface ExportRequest {
  readonly signal: Signal;
  readonly type: OtlpContentType;
  /** Uncompressed. */
  readonly body: Uint8Array;
}

export interface AcceptedExport extends ExportRequest {
  /** The valid ones; none of metrics and logs. */
  readonly spans: readonly Span[];
  /** No span was left out. */
  readonly isWhole: boolean;
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

/** What the protocols share. */
export interface Receiving {
  readonly limits: BodyLimits;
  readonly inTurn: InTurn;
  readonly accept: (accepted: AcceptedExport) => Promise<void>;
  /** Told why, each time something is not accepted. */
  readonly complain: (message: string) => void;
}

/**
 * Decodes and accepts an export. Spans that are not valid are rejected one by one; metrics and logs are not decoded.
 * @returns Why spans were rejected.
 * @throws {DecodeError} when it cannot be read.
 */
export async function acceptExport(
  request: ExportRequest,
  { accept, complain }: Receiving,
): Promise<readonly DecodeError[]> {
  const rejected: DecodeError[] = [];
  const spans = request.signal === 'traces' ? decodeSpans(request, (error) => void rejected.push(error)) : [];
  await accept({ ...request, spans, isWhole: rejected.length === 0 });
  for (const { message } of rejected.slice(0, 1)) {
    complain(`an export had spans that are not valid and were left out, the first: ${message}`);
  }
  return rejected;
}

function decodeSpans(
  { type, body }: ExportRequest,
  onInvalidSpan: (error: DecodeError) => void,
): readonly Span[] {
  return type === 'application/json'
    ? decodeOtlpJson(parseJson(body), { onInvalidSpan })
    : decodeOtlpProtobuf(body, { onInvalidSpan });
}

export function describeRefusal({ message }: Pick<RefusedRequest, 'message'>): string {
  return `a request was refused: ${message}`;
}

export function toRefusal(error: unknown): RefusedRequest {
  if (error instanceof RefusedRequest) return error;
  if (error instanceof TooLargeError)
    return new RefusedRequest(413, rpcCode.resourceExhausted, error.message);
  if (error instanceof DecodeError) return new RefusedRequest(400, rpcCode.invalidArgument, error.message);
  return new RefusedRequest(400, rpcCode.invalidArgument, 'the request could not be read');
}
