import type { EdgeProtocol } from '../calls/call-group.ts';
import { keyFor } from '../util/group-by.ts';

/** The two services of an edge, and the kind of its calls. */
export interface EdgePlace {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
}

/** The key of an edge. */
export function placeOf({ client, server, protocol }: EdgePlace): string {
  return keyFor(client, server, protocol);
}
