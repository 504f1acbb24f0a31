import { type FactSource, readNumber, readText } from './fact-source.ts';

export function readRpcMethod(span: FactSource): string | null {
  const method = readText(span, 'rpc.method');
  if (method?.includes('/')) return method.replace(/^\/+/, '');
  const service = readText(span, 'rpc.service');
  return service !== null && method !== null ? `${service}/${method}` : readOpenTracingRpc(span);
}

/**
 * OpenTracing's gRPC instrumentations set `component` to `gRPC`, `grpc` or `java-grpc` and name the span by the full method on both sides.
 */
export function readOpenTracingRpc(span: FactSource): string | null {
  if (!/grpc/i.test(readText(span, 'component') ?? '')) return null;
  return /^\/?([\w.]+\/\w+)$/.exec(span.name)?.[1] ?? null;
}

/** The status code: of gRPC as a number or a name, or of another RPC system. */
export function readRpcStatus(span: FactSource): string | null {
  const named = readText(span, 'rpc.response.status_code');
  return named ?? readNumber(span, 'rpc.grpc.status_code')?.toString() ?? null;
}

export function isUnavailable(span: FactSource): boolean {
  return unavailable.includes(readRpcStatus(span) ?? '');
}

export const unavailable = ['14', 'UNAVAILABLE'];
