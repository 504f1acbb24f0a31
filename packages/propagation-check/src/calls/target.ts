import { keyFor } from '../util/group-by.ts';
import { readAddress } from './address.ts';
import { type FactSource, readText } from './fact-source.ts';
import { readDestination } from './messaging-facts.ts';

/** A key for the address or the queue that a call goes to. */
export function nameTarget(call: FactSource): string {
  if (call.kind === 'PRODUCER') return keyFor(readDestination(call));
  const { host, port } = readAddress(call);
  // Few MCP spans record the address of the server; without it, the tool is the target.
  const isTool = host === null && port === null && readText(call, 'mcp.method.name') !== null;
  return isTool ? keyFor(host, port, call.name) : keyFor(host, port);
}

/** The service that a call goes to, as its instrumentation or its author names it. Source: semantic conventions, "service.peer.name". */
export function readPeerService(call: FactSource): string | null {
  return readText(call, 'service.peer.name', 'peer.service');
}
