/** Healthy ways to call a service that a naive checker reports as broken. Each is a route of the caller. */
export const variantNames = [
  'parallel',
  'keep-alive',
  'retry',
  'redirect',
  'timeout',
  'abort',
  'streaming',
  'external-peer',
  'fan-out',
  'health-probes',
  'websocket',
] as const;

export type VariantName = (typeof variantNames)[number];
