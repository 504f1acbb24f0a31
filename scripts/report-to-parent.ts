/**
 * Loaded into a service that `service-process.ts` starts. It reports the port of the service. When the parent is gone, however it
 * went, the service stops as if it had been told to, and is ended for good if that takes too long.
 */
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { Server } from 'node:net';
import { devNull } from 'node:os';

const patienceMs = 10_000;

// Not by a line of the log: the log level may leave it out.
subscribe('tracing:net.server.listen:asyncEnd', (message) => {
  const server: unknown = Reflect.get(Object(message), 'server');
  const address = server instanceof Server ? server.address() : null;
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});

process.once('disconnect', () => {
  // Nobody reads any more. At its end pino would write what is left to the broken pipe, again and again, for ever. A file that
  // is opened gets the lowest number that is free.
  for (const output of [1, 2]) {
    closeSync(output);
    openSync(devNull, 'w');
  }
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), patienceMs).unref();
  process.kill(process.pid, 'SIGTERM');
});
// The channel must not keep a service alive that has stopped.
process.channel?.unref();
