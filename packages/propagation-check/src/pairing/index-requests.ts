import { type FactSource, readCallFacts, readRpcMethod } from '../calls/call-facts.ts';
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
      path: keyOfPath(path),
      rpcPath: keyOfRpc(rpcMethod),
      port: path === null ? port : null,
      name: protocol === 'rpc' ? call.name : null,
    };
  });
  const isMcp = facts.remember(hasMcpMethod);
  const targetIdOf = lookUpTargets(facts, isMcp);
  let read = none;
  let path: string | null = null;
  let rpcPath: string | null = null;
  let isUntold = true;
  return (request, at) => {
    const call = known[at];
    if (call?.name === null) {
      // The last bytes of the path rule out most requests, where only the path can tell.
      const targetId = targetIdOf(request);
      if (targetId !== null && facts.hasOtherEnd(targetId, call.path ?? '')) return false;
    }
    if (request !== read) {
      read = request;
      path = keyOfPath(facts.pathOf(request));
      rpcPath = keyOfRpc(facts.rpcMethodOf(request));
      isUntold = (path === null && rpcPath === null) || isMcp(request);
    }
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

/** The id of the path of a request that only its path can tell; null where RPC or MCP may tell it, too. Remembers the last request. */
function lookUpTargets(
  facts: RowFacts,
  isMcp: (request: number) => boolean,
): (request: number) => number | null {
  const mayBeRpc = facts.maySome((row) => readRpcMethod(row) !== null || hasMcpMethod(row));
  let read = none;
  let targetId: number | null = null;
  return (request) => {
    if (request === read) return targetId;
    read = request;
    const isByPath = !mayBeRpc || (facts.rpcMethodOf(request) === null && !isMcp(request));
    targetId = isByPath ? facts.targetIdOf(request) : null;
    return targetId;
  };
}

function hasMcpMethod({ attributes }: FactSource): boolean {
  return attributes.has('mcp.method.name');
}

function keyOfPath(path: string | null): string | null {
  return path === null ? null : tailOfPath(trimSlash(path));
}

function keyOfRpc(rpcMethod: string | null): string | null {
  return rpcMethod === null ? null : tailOfPath(pathOfRpc(rpcMethod));
}
