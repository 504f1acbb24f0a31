import { type Check, groupBy, keyFor } from './check.ts';

/** A server that starts this long before its client, or after the client ended, was not measured by the same clock. */
const noticeable = 100_000_000n;

/** SERVER spans outside the time of their CLIENT span. A warning: the edge is whole, only its times mislead. */
export const findClockSkew: Check = (scene) => {
  const skewed = scene.calls.filter(
    ({ client, server }) =>
      client.kind === 'CLIENT' &&
      server.kind === 'SERVER' &&
      (server.startTimeUnixNano + noticeable < client.startTimeUnixNano ||
        server.startTimeUnixNano > client.endTimeUnixNano + noticeable),
  );
  const edges = groupBy(skewed, (call) => keyFor(call.client.serviceName, call.server.serviceName));
  return edges.flatMap((calls) => {
    const first = calls[0];
    if (first === undefined) return [];
    return [
      {
        id: 'clock-skew' as const,
        severity: 'warning' as const,
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: first.protocol,
        shown: calls.map(({ client, server }) => ({
          client,
          server,
          says: `SERVER starts ${(server.startTimeUnixNano - client.startTimeUnixNano) / 1_000_000n} ms after its CLIENT by their clocks`,
        })),
      },
    ];
  });
};
