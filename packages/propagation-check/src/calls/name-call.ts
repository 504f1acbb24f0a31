import type { EdgeProtocol } from './call-group.ts';

/** The word that reports use for a call of an edge. A message is a call of the service that receives it. */
export function nameCall({ protocol }: { readonly protocol: EdgeProtocol }): 'call' | 'message' {
  return protocol === 'messaging' ? 'message' : 'call';
}
