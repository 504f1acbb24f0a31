import type { EdgeProtocol } from '../calls/call-group.ts';
import { keyFor } from '../util/group-by.ts';

/** The two services of an edge, and the protocol of its calls. */
export interface EdgePlace {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
}

export function placeOf({ client, server, protocol }: EdgePlace): string {
  return keyFor(client, server, protocol);
}
