import type { Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';
import { type FactSource, readText } from './fact-source.ts';
import { noStatus, readAnyStatus } from './http-facts.ts';
import type { Protocol } from './protocol.ts';
import { readRpcStatus, unavailable } from './rpc-facts.ts';

/** How a CLIENT span ended: the callee answered, the request may not have reached the callee, or unknown. */
export type Outcome = 'answered' | 'unreached' | 'unknown';

/** Whether the caller itself ended an unanswered call: `AbortError`, `CancelledError`, gRPC code 1. */
export function isAborted(span: Span): boolean {
  if (span.kind !== 'CLIENT' || readOutcome(span) !== 'unreached') return false;
  const code = readRpcStatus(span);
  const error = readText(span, 'error.type', 'http.error_name', 'exception') ?? '';
  return code === '1' || /abort|cancel/i.test(`${code ?? ''} ${error} ${span.status.message}`);
}

/** The status of a call whose outcome is `unreached`. The callee, a hop or the caller's own library set it; null where there is none. */
export function readUnreachedStatus(span: Span): string | null {
  const { protocol, statusCode } = readCallFacts(span);
  return protocol === 'rpc' ? readRpcStatus(span) : (statusCode?.toString() ?? null);
}

/** Codes that MCP SDKs set on the caller's side: connection closed, request timed out. */
const madeByMcpClient = ['-32000', '-32001'];

export function readOutcome(span: Span): Outcome {
  return decideOutcome(span, readCallFacts(span).protocol);
}

export function decideOutcome(span: FactSource, protocol: Protocol): Outcome {
  if (protocol === 'rpc') {
    const code = readRpcStatus(span);
    if (code === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
    // The caller's own library can set these codes: the callee may never have seen the call.
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
  // A gateway answers 502, 503 and 504 when it cannot reach the callee, and a rate limiter answers 429 before the callee is asked.
  return [429, 502, 503, 504].includes(statusCode) ? 'unreached' : 'answered';
}
