import type { Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';
import { type FactSource, readText } from './fact-source.ts';
import { noStatus, readAnyStatus } from './http-facts.ts';
import type { Protocol } from './protocol.ts';
import { readRpcStatus, unavailable } from './rpc-facts.ts';

/** How a CLIENT span ended: with an answer of the called side, refused before it got there, or unknown. */
export type Outcome = 'answered' | 'unreached' | 'unknown';

/** Whether the caller itself ended a call that was not answered, as `AbortError`, `CancelledError` or gRPC's code 1. */
export function isAborted(span: Span): boolean {
  if (span.kind !== 'CLIENT' || readOutcome(span) !== 'unreached') return false;
  const code = readRpcStatus(span);
  const error = readText(span, 'error.type', 'http.error_name', 'exception') ?? '';
  return code === '1' || /abort|cancel/i.test(`${code ?? ''} ${error} ${span.status.message}`);
}

/** The status of a call that `readOutcome` calls unreached: the service, a hop or the caller's own library gave it; null where there is none. */
export function readUnreachedStatus(span: Span): string | null {
  const { protocol, statusCode } = readCallFacts(span);
  return protocol === 'rpc' ? readRpcStatus(span) : (statusCode?.toString() ?? null);
}

/** The SDKs give their own side these codes: the connection is closed, the request has timed out. */
const madeByMcpClient = ['-32000', '-32001'];

export function readOutcome(span: Span): Outcome {
  return decideOutcome(span, readCallFacts(span).protocol);
}

export function decideOutcome(span: FactSource, protocol: Protocol): Outcome {
  if (protocol === 'rpc') {
    const code = readRpcStatus(span);
    if (code === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
    // Both can be made by the caller's own side: the peer may never have seen the call.
    const madeByCaller = ['1', '4', 'CANCELLED', 'DEADLINE_EXCEEDED', ...unavailable];
    return madeByCaller.includes(code) ? 'unreached' : 'answered';
  }
  if (protocol === 'mcp') {
    const code = readText(span, 'rpc.response.status_code');
    if (span.status.code === 'ERROR' && code === null) return 'unreached';
    return code !== null && madeByMcpClient.includes(code) ? 'unreached' : 'answered';
  }
  const statusCode = readAnyStatus(span);
  if (statusCode === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
  if (statusCode === noStatus) return 'unreached';
  // A gateway answers these for a peer that it did not reach, and a limiter before it asks.
  return [429, 502, 503, 504].includes(statusCode) ? 'unreached' : 'answered';
}
