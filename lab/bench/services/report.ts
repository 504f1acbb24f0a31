/** Loaded into each measured process: tells the bench its port, and with each message of the bench what the process has used so far. */
import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';

// Not by a line of the log: there is none at the level `warn`.
subscribe('tracing:net.server.listen:asyncEnd', (message) => {
  const server: unknown = Reflect.get(Object(message), 'server');
  const address = server instanceof Server ? server.address() : null;
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('message', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  process.send?.({ cpuMicros: userCPUTime + systemCPUTime, memoryBytes: process.memoryUsage.rss() });
});
// Only what the service itself does keeps it alive.
process.channel?.unref();
