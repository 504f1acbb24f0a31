import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ExportTraceServiceResponseSchema } from '../decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';

/** The two encodings of OTLP/HTTP; gRPC has the second. */
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

/** The body of a refusal: `google.rpc.Status`. Source: OTLP specification, "OTLP/HTTP Response", "Failures". */
export function encodeStatus(type: OtlpContentType, code: number, message: string): Buffer {
  if (type === 'application/json') return Buffer.from(JSON.stringify({ code, message }));
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(code);
  writer.tag(2, WireType.LengthDelimited).string(message);
  return Buffer.from(writer.finish());
}
