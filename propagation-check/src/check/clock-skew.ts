import type { Check } from './check.ts';

/** A difference between two clocks that people notice in a trace, in nanoseconds. */
const noticeable = 100_000_000n;

/** A warning: the edges may be whole, only their times mislead. */
export const findClockSkew: Check = (scene) =>
  [...scene.clockOffsets]
    .filter(([, ahead]) => ahead > noticeable || ahead < -noticeable)
    .map(([service, ahead]) => {
      const milliseconds = ahead / 1_000_000n;
      const says =
        ahead > 0n
          ? `the clock of ${service} is ${milliseconds} ms ahead`
          : `the clock of ${service} is ${-milliseconds} ms behind`;
      const calls = scene.callsInto(service);
      return {
        id: 'clock-skew' as const,
        severity: 'warning' as const,
        client: calls[0]?.client.serviceName ?? null,
        server: service,
        protocol: calls[0]?.protocol ?? ('http' as const),
        shown: calls.map(({ client, server }) => ({ client, server, says })),
      };
    });
