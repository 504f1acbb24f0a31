/**
 * Loaded into a service that `service-process.ts` starts. Reports the service's port to the parent. When the parent exits for any reason, the
 * service stops as after a signal, and is killed if that takes too long.
 */
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { Server } from 'node:net';
import { devNull } from 'node:os';

const patienceMs = 10_000;

// Not read from the log, because the log level may suppress the line.
subscribe('tracing:net.server.listen:asyncEnd', (message) => {
  const server: unknown = Reflect.get(Object(message), 'server');
  const address = server instanceof Server ? server.address() : null;
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});

process.once('disconnect', () => {
  // Replaces the broken pipes, to which pino would write its remaining lines again and again at exit. An opened file gets the lowest free
  // descriptor.
  for (const output of [1, 2]) {
    closeSync(output);
    openSync(devNull, 'w');
  }
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), patienceMs).unref();
  process.kill(process.pid, 'SIGTERM');
});
// The channel must not keep a stopped service alive.
process.channel?.unref();
