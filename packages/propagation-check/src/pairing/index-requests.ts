import { type CallFacts, readCallFacts } from '../calls/call-facts.ts';
import type { Protocol } from '../calls/protocol.ts';
import type { RowFacts } from '../calls/row-facts.ts';
import { none } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { pathOfRpc, tailOfPath, trimSlash } from './compare-requests.ts';

/** The facts of a call; a request must share at least one of them. */
interface KnownCall {
  readonly key: string | null;
  readonly port: number | null;
  readonly name: string | null;
}

const noKey: KnownCall = { key: null, port: null, name: null };

/**
 * Prepares a test whether `compareRequests` may answer `yes` for a request (by row) and a call (by position in the list). It runs before a
 * view is made, and passes every request without a key. Reads each request once if all its calls are tested in a row.
 */
export function indexRequests(
  calls: readonly Span[],
  facts: RowFacts,
): (request: number, call: number) => boolean {
  const known = calls.map((call): KnownCall => {
    const own = readCallFacts(call);
    return {
      key: keyOf(own),
      port: own.path === null ? own.port : null,
      name: own.protocol === 'rpc' ? call.name : null,
    };
  });
  let read = none;
  let targetId: number | null = null;
  let keyOfRequest: string | null | undefined;
  return (request, at) => {
    const call = known[at] ?? noKey;
    if (request !== read) {
      read = request;
      targetId = isIdentifiedByPath(facts.protocolOf(request)) ? facts.targetIdOf(request) : null;
      keyOfRequest = undefined;
    }
    // The last bytes of the encoded path exclude most requests without decoding it.
    if (targetId !== null && facts.hasOtherEnd(targetId, call.key ?? '')) return false;
    if (keyOfRequest === undefined)
      keyOfRequest = keyOf({
        protocol: facts.protocolOf(request),
        path: facts.pathOf(request),
        rpcMethod: facts.rpcMethodOf(request),
      });
    return (
      keyOfRequest === null ||
      keyOfRequest === call.key ||
      (call.port !== null && call.port === facts.portOf(request)) ||
      (call.name !== null && call.name === facts.nameOf(request))
    );
  };
}

function isIdentifiedByPath(protocol: Protocol): boolean {
  return protocol !== 'rpc' && protocol !== 'mcp';
}

/** The end of the path of an HTTP request, or of the path that an RPC method implies; null where no path decides. */
function keyOf({
  protocol,
  path,
  rpcMethod,
}: Pick<CallFacts, 'protocol' | 'path' | 'rpcMethod'>): string | null {
  if (isIdentifiedByPath(protocol)) return path === null ? null : tailOfPath(trimSlash(path));
  return protocol === 'mcp' || rpcMethod === null ? null : tailOfPath(trimSlash(pathOfRpc(rpcMethod)));
}
