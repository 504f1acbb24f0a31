import { keyFor } from '../util/group-by.ts';
import { readAddress } from './address.ts';
import { type FactSource, readText } from './fact-source.ts';
import { readDestination } from './messaging-facts.ts';

/** A key for the address that a call goes to, or the queue of a message. */
export function nameTarget(call: FactSource): string {
  if (call.kind === 'PRODUCER') return keyFor(readDestination(call));
  const { host, port } = readAddress(call);
  // Few spans of MCP say where the server is: then tools are the targets.
  const isTool = host === null && port === null && readText(call, 'mcp.method.name') !== null;
  return isTool ? keyFor(host, port, call.name) : keyFor(host, port);
}
