import type { EdgeProtocol } from './call-group.ts';

/** The word that reports use for a call. */
export function nameCall({ protocol }: { readonly protocol: EdgeProtocol }): 'call' | 'message' {
  return protocol === 'messaging' ? 'message' : 'call';
}
