import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzip } from '../decode/gunzip.ts';
import { describeRefusal, type Receiving, type Signal, toRefusal } from './export-request.ts';
import { encodeStatus, encodeSuccess, type OtlpContentType, rpcCode } from './otlp-response.ts';
import { RefusedRequest, refuseSize, useBody } from './request-body.ts';

export async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  receiving: Receiving,
): Promise<void> {
  const { limits, inTurn } = receiving;
  const type = readContentType(request);
  try {
    const signal = readSignal(request);
    if (type === null) {
      throw new RefusedRequest(
        415,
        rpcCode.invalidArgument,
        `content-type must be ${contentTypes.join(' or ')}`,
      );
    }
    const isGzip = readEncoding(request) === 'gzip';
    if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) throw refuseSize(limits.maxBytes);
    receiving.admit?.();
    // One at a time: many small compressed bodies must not all be uncompressed at once.
    const rejected = await useBody(request, limits, (bytes) =>
      inTurn(async () => {
        const body = isGzip ? await gunzip(bytes, limits.maxBytes) : bytes;
        if (receiving.isSentAgain && request.socket.destroyed) throw new Error('the client went away');
        return receiving.accept({ signal, type, body });
      }),
    );
    answer(response, 200, type, encodeSuccess(type, rejected.length, rejected[0]?.message ?? ''));
  } catch (error) {
    if (request.socket.destroyed) return; // The client is gone; nobody is left to be told.
    const refusal = toRefusal(error);
    receiving.onRefusal?.(refusal);
    receiving.complain(describeRefusal(refusal));
    refuse(response, type ?? 'application/json', refusal);
  }
}

const contentTypes: readonly OtlpContentType[] = ['application/json', 'application/x-protobuf'];

function readContentType(request: IncomingMessage): OtlpContentType | null {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  return contentTypes.find((known) => known === type) ?? null;
}

const signals: Readonly<Record<string, Signal>> = {
  '/v1/traces': 'traces',
  '/v1/metrics': 'metrics',
  '/v1/logs': 'logs',
};

function readSignal(request: IncomingMessage): Signal {
  const signal = signals[(request.url ?? '').split('?')[0] ?? ''];
  if (signal === undefined) {
    throw new RefusedRequest(404, rpcCode.notFound, 'not found; OTLP/HTTP traces go to /v1/traces');
  }
  if (request.method !== 'POST') {
    throw new RefusedRequest(405, rpcCode.unimplemented, 'method not allowed; use POST', { allow: 'POST' });
  }
  return signal;
}

function readEncoding(request: IncomingMessage): 'gzip' | 'identity' {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'gzip') return encoding;
  if (encoding === 'identity' || encoding === '') return 'identity';
  throw new RefusedRequest(415, rpcCode.invalidArgument, 'content-encoding must be gzip or none', {
    'accept-encoding': 'gzip',
  });
}

function refuse(response: ServerResponse, type: OtlpContentType, refusal: RefusedRequest): void {
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  // The rest of the body is not read, so the connection cannot be used again.
  if (refusal.status === 413 || refusal.status === 503) response.setHeader('connection', 'close');
  answer(response, refusal.status, type, encodeStatus(type, refusal));
}

function answer(response: ServerResponse, status: number, type: OtlpContentType, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}
