import { create, fromBinary, fromJsonString, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ExportTraceServiceResponseSchema } from '../decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';

/** The two encodings of OTLP/HTTP; gRPC uses only protobuf. */
export type OtlpContentType = 'application/json' | 'application/x-protobuf';

/** Numbers of `google.rpc.Code`. */
export const rpcCode = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** The body of a successful answer; a partial success when spans were rejected. */
export function encodeSuccess(type: OtlpContentType, rejectedSpans: number, errorMessage: string): Buffer {
  if (type === 'application/json') {
    const partialSuccess = { rejectedSpans: String(rejectedSpans), errorMessage };
    return Buffer.from(JSON.stringify(rejectedSpans === 0 ? {} : { partialSuccess }));
  }
  const partialSuccess = { rejectedSpans: BigInt(rejectedSpans), errorMessage };
  const response = create(ExportTraceServiceResponseSchema, rejectedSpans === 0 ? {} : { partialSuccess });
  return Buffer.from(toBinary(ExportTraceServiceResponseSchema, response));
}

/** Spans that a receiver rejected from an export that it accepted. */
export interface Rejection {
  readonly spans: number;
  readonly message: string;
}

/**
 * Reads a successful answer. Its media type gives the encoding, whatever the encoding of the request was. For another media type its
 * first byte decides.
 * @param contentType Lower case, without parameters. @returns Null if no span was rejected, or the answer cannot be read.
 */
export function readRejection(contentType: string, body: Uint8Array): Rejection | null {
  const isProtobuf = contentType === 'application/x-protobuf';
  const isJson = contentType === 'application/json' || (!isProtobuf && body[0] === openingBrace);
  try {
    const { partialSuccess } = isJson
      ? fromJsonString(ExportTraceServiceResponseSchema, new TextDecoder().decode(body), lenient)
      : fromBinary(ExportTraceServiceResponseSchema, body);
    const spans = Number(partialSuccess?.rejectedSpans ?? 0);
    return spans > 0 ? { spans, message: partialSuccess?.errorMessage ?? '' } : null;
  } catch {
    return null;
  }
}

const openingBrace = 0x7b;
/** OTLP specification, "JSON Protobuf Encoding": fields that are not known are ignored. */
const lenient = { ignoreUnknownFields: true } as const;

/** The reason of a refusal, for the client. */
export interface Refusal {
  /** A `google.rpc.Code`. */
  readonly code: number;
  readonly message: string;
  /** `retry-after` has seconds. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Encodes a refusal as `google.rpc.Status`, with `RetryInfo` if the client may try again. Source: OTLP specification, "OTLP/HTTP
 * Response", "Failures"; google/rpc/error_details.proto.
 */
export function encodeStatus(type: OtlpContentType, { code, message, headers }: Refusal): Buffer {
  if (type === 'application/json') return Buffer.from(JSON.stringify({ code, message }));
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(code);
  writer.tag(2, WireType.LengthDelimited).string(message);
  const seconds = Number(headers['retry-after'] ?? 0);
  if (seconds > 0) {
    writer.tag(3, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string('type.googleapis.com/google.rpc.RetryInfo');
    // The value is a message with a `Duration` in field 1, which has seconds in field 1.
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(seconds).join();
    writer.join().join();
  }
  return Buffer.from(writer.finish());
}
