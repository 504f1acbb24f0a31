import { readCallFacts } from '../calls/call-facts.ts';
import type { RowFacts } from '../calls/row-facts.ts';
import { none } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { pathOfRpc, tailOfPath, trimSlash } from './pair.ts';

/**
 * Tells of the row of a request, and of a call by its place in the list, whether `compareRequests` may answer `yes`. It is to be asked
 * before a view is made, and keeps every request that tells neither path nor method. A request is read once for the calls that are
 * asked about one after the other.
 */
export function indexRequests(
  calls: readonly Span[],
  facts: RowFacts,
): (request: number, call: number) => boolean {
  const known = calls.map((call) => {
    const { path, port, protocol, rpcMethod } = readCallFacts(call);
    return {
      ...{ path: keyOfPath(path), rpcPath: keyOfRpc(rpcMethod) },
      port: path === null ? port : null,
      name: protocol === 'rpc' ? call.name : null,
    };
  });
  const isMcp = facts.remember(({ attributes }) => attributes.has('mcp.method.name'));
  let read = none;
  let path: string | null = null;
  let rpcPath: string | null = null;
  let isUntold = true;
  return (request, at) => {
    if (request !== read) {
      read = request;
      path = keyOfPath(facts.pathOf(request));
      rpcPath = keyOfRpc(facts.rpcMethodOf(request));
      isUntold = (path === null && rpcPath === null) || isMcp(request);
    }
    const call = known[at];
    return (
      isUntold ||
      call === undefined ||
      (path !== null && (call.path === path || call.rpcPath === path)) ||
      (rpcPath !== null && (call.path === rpcPath || call.rpcPath === rpcPath)) ||
      (call.port !== null && call.port === facts.portOf(request)) ||
      (call.name !== null && call.name === facts.nameOf(request))
    );
  };
}

function keyOfPath(path: string | null): string | null {
  return path === null ? null : tailOfPath(trimSlash(path));
}

function keyOfRpc(rpcMethod: string | null): string | null {
  return rpcMethod === null ? null : tailOfPath(pathOfRpc(rpcMethod));
}
