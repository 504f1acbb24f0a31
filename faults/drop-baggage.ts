import type { Fault } from './apply/fault.ts';

/** One of two gateways drops the `baggage` header, which is sent only in manual mode. */
export const fault: Fault = {
  where: 'proxy',
  made: 'drops the header baggage from every second request',
  modes: ['manual'],
  // With this seed the first request loses its baggage, the second does not, and so on.
  tap: { faults: ['drop-baggage'], faultRate: 0.5, faultSeed: 187 },
};
