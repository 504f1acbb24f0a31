import type { Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';
import { isUnavailable, readRpcStatus } from './rpc-facts.ts';

/** Attributes that say why a call failed: of the semantic conventions, and of older JavaScript instrumentations and Micrometer. */
const errorAttributes = ['error.type', 'http.error_name', 'http.error_message', 'exception'];

/**
 * Error texts of calls that never got a connection, as libuv, Go, libc, Python (aiohttp, httpx, urllib3), Java and .NET write them. Resets
 * and time-outs are not among them: the peer may have seen the request.
 */
const noConnection =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|connection ?refused|no such host|no route to host|network is unreachable|name or service not known|name_?resolution_?error|NewConnectionError|\bConnectError\b|ConnectorError|ConnectException|UnknownHostException|NoRouteToHostException/i;

/** Whether a CLIENT span says that it got no connection: no request was sent, so no SERVER span belongs to this call. */
export function isUnconnected(span: Span): boolean {
  if (span.kind !== 'CLIENT') return false;
  const { protocol, statusCode } = readCallFacts(span);
  if (statusCode !== null || span.status.code !== 'ERROR') return false;
  if (protocol === 'rpc' && readRpcStatus(span) !== null && !isUnavailable(span)) return false;
  const messages = [span.status.message, ...errorAttributes.map((name) => span.attributes.get(name))];
  return messages.some((text) => typeof text === 'string' && noConnection.test(text));
}
