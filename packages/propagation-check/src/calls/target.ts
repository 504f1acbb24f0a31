import { keyFor } from '../util/group-by.ts';
import { type FactSource, readAddress, readDestination } from './call-facts.ts';

/** A key for the address that a call goes to, or the queue of a message. */
export function nameTarget(call: FactSource): string {
  if (call.kind === 'PRODUCER') return keyFor(readDestination(call));
  const { host, port } = readAddress(call);
  return keyFor(host, port);
}
