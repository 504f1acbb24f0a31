import type { Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';
import { isUnavailable, readRpcStatus } from './rpc-facts.ts';

/** Where instrumentations say why a call failed: semantic conventions, and those of JavaScript and Micrometer before. */
const errorAttributes = ['error.type', 'http.error_name', 'http.error_message', 'exception'];

/**
 * Errors before a connection is there, in the words of libuv, Go and libc, Python (aiohttp, httpx, urllib3), Java and .NET. A reset or a
 * time-out is none of them: the peer may have seen the request.
 */
const noConnection =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|connection ?refused|no such host|no route to host|network is unreachable|name or service not known|name_?resolution_?error|NewConnectionError|\bConnectError\b|ConnectorError|ConnectException|UnknownHostException|NoRouteToHostException/i;

/** Whether a CLIENT span says that its call found no peer: no request was sent, so no SERVER span is of this call. */
export function isUnconnected(span: Span): boolean {
  if (span.kind !== 'CLIENT') return false;
  const { protocol, statusCode } = readCallFacts(span);
  if (statusCode !== null || span.status.code !== 'ERROR') return false;
  if (protocol === 'rpc' && readRpcStatus(span) !== null && !isUnavailable(span)) return false;
  const told = [span.status.message, ...errorAttributes.map((name) => span.attributes.get(name))];
  return told.some((text) => typeof text === 'string' && noConnection.test(text));
}
