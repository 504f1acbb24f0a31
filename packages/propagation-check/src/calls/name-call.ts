import type { EdgeProtocol } from './call-group.ts';

/** What the calls of an edge are, for people: a message is a call of one who receives it. */
export function nameCall({ protocol }: { readonly protocol: EdgeProtocol }): 'call' | 'message' {
  return protocol === 'messaging' ? 'message' : 'call';
}
