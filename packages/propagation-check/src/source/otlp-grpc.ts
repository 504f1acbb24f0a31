import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { gunzip } from '../decode/gunzip.ts';
import { describeRefusal, type Receiving, type Signal, toRefusal } from './export-request.ts';
import { encodeStatus, encodeSuccess, rpcCode } from './otlp-response.ts';
import { RefusedRequest, useBody } from './request-body.ts';

/** The prefix of each message: a flag for compression, and the length in four bytes. */
const prefixBytes = 5;
/** How long a refused client may continue to send. */
const graceMs = 1_000;
const contentType = 'application/grpc';
const contentTypes = [contentType, `${contentType}+proto`];
const answerHeaders = {
  ':status': 200,
  'content-type': contentType,
  'grpc-accept-encoding': 'identity,gzip',
} as const;

/**
 * Answers one unary call of OTLP/gRPC.
 * @param timeoutMs How long a call may take if its client sets no shorter deadline.
 * Source: "gRPC over HTTP2" (doc/PROTOCOL-HTTP2.md of grpc).
 */
export async function answerGrpc(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  receiving: Receiving,
  timeoutMs: number,
): Promise<void> {
  stream.on('error', () => undefined);
  if (!headers['content-type']?.startsWith(contentType)) {
    receiving.complain(describeRefusal({ message: `over HTTP/2, content-type must be ${contentType}` }));
    stream.respond({ ':status': 415 }, { endStream: true });
    return dropRest(stream);
  }
  const deadline = startDeadline(Math.min(readTimeout(headers['grpc-timeout']), timeoutMs));
  try {
    const call = readCall(stream, headers, receiving);
    call.catch(() => undefined); // The deadline may come first.
    const rejected = await Promise.race([call, deadline.passed]);
    succeed(stream, encodeSuccess('application/x-protobuf', rejected.length, rejected[0]?.message ?? ''));
  } catch (error) {
    if (stream.destroyed || stream.closed) return; // The client is gone; nobody is left to be told.
    const refusal = toRefusal(error);
    receiving.onRefusal?.(refusal);
    receiving.complain(describeRefusal(refusal));
    refuse(stream, refusal);
  } finally {
    deadline.clear();
  }
}

async function readCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, receiving: Receiving) {
  const { limits, inTurn } = receiving;
  const signal = readSignal(headers);
  const encoding = readEncoding(headers);
  receiving.admit?.();
  const accept = async (bytes: Uint8Array) => {
    const body = await readMessage(bytes, encoding, limits.maxBytes);
    // The client has seen a failure or has cancelled the call, and may send the export again.
    if (stream.destroyed || stream.closed) throw new Error('the client went away');
    return receiving.accept({ signal, type: 'application/x-protobuf', body });
  };
  return useBody(stream, limits, (bytes) => inTurn(() => accept(bytes)), prefixBytes);
}

const services = 'opentelemetry.proto.collector';
const signals: Readonly<Record<string, Signal>> = {
  [`/${services}.trace.v1.TraceService/Export`]: 'traces',
  [`/${services}.metrics.v1.MetricsService/Export`]: 'metrics',
  [`/${services}.logs.v1.LogsService/Export`]: 'logs',
};

function readSignal(headers: IncomingHttpHeaders): Signal {
  const signal = signals[headers[':path'] ?? ''];
  if (signal === undefined || headers[':method'] !== 'POST') {
    throw unimplemented(`no such method; OTLP/gRPC traces go to ${Object.keys(signals)[0]}`);
  }
  if (!contentTypes.includes(headers['content-type'] ?? '')) {
    throw unimplemented(`content-type must be ${contentTypes.join(' or ')}`);
  }
  return signal;
}

function readEncoding(headers: IncomingHttpHeaders): 'gzip' | 'identity' {
  const encoding = headers['grpc-encoding'] ?? 'identity';
  if (encoding === 'gzip' || encoding === 'identity') return encoding;
  throw unimplemented('grpc-encoding must be gzip or none');
}

/** Reads the single message of a unary call. */
async function readMessage(
  bytes: Uint8Array,
  encoding: 'gzip' | 'identity',
  maxBytes: number,
): Promise<Uint8Array> {
  if (bytes.length < prefixBytes) throw internal('the call has no message');
  const prefix = Buffer.from(bytes.buffer, bytes.byteOffset, prefixBytes);
  const flag = prefix.readUInt8(0);
  const length = prefix.readUInt32BE(1);
  const message = bytes.subarray(prefixBytes);
  if (message.length < length) throw internal('the message is cut off');
  if (message.length > length) throw internal('the call has more than one message');
  if (flag === 0) return message;
  if (flag !== 1 || encoding !== 'gzip')
    throw internal('the message is compressed and grpc-encoding does not say how');
  return gunzip(message, maxBytes);
}

const unimplemented = (message: string) => new RefusedRequest(415, rpcCode.unimplemented, message);
const internal = (message: string) => new RefusedRequest(400, rpcCode.internal, message);

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** @returns Milliseconds; infinite without a deadline. */
function readTimeout(header: string | readonly string[] | undefined): number {
  const [, amount, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(header)) ?? [];
  return Number(amount ?? Number.POSITIVE_INFINITY) * (unitMs[unit] ?? 1);
}

function startDeadline(milliseconds: number): {
  readonly passed: Promise<never>;
  readonly clear: () => void;
} {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new RefusedRequest(408, rpcCode.deadlineExceeded, 'the message did not come whole in time')),
      milliseconds,
    );
  });
  return { passed, clear: () => clearTimeout(timer) };
}

function succeed(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.closed) return;
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond(answerHeaders, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(rpcCode.ok) }));
  stream.end(Buffer.concat([prefix, message]));
}

function refuse(stream: ServerHttp2Stream, refusal: RefusedRequest): void {
  const { code, message, headers } = refusal;
  const trailers = {
    'grpc-status': String(code),
    'grpc-message': encodeMessage(message),
    // Without these details clients treat RESOURCE_EXHAUSTED as permanent (OTLP specification, "OTLP/gRPC Throttling").
    ...('retry-after' in headers
      ? { 'grpc-status-details-bin': encodeStatus('application/x-protobuf', refusal).toString('base64') }
      : {}),
  };
  stream.respond({ ...answerHeaders, ...trailers }, { endStream: true });
  dropRest(stream);
}

/** Reads and discards the rest of the body: an immediate reset would overtake the answer. Clients stop sending when they read the answer. */
function dropRest(stream: ServerHttp2Stream): void {
  stream.resume();
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), graceMs);
  stream.once('close', () => clearTimeout(timer));
}

/** Source: "Responses" of the same document, `Percent-Encoded`: all but printable ASCII without `%`. */
function encodeMessage(message: string): string {
  return Buffer.from(message)
    .toString('latin1')
    .replace(/[^\x20-\x24\x26-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
