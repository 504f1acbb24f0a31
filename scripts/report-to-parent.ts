/**
 * Loaded into a service that the demo starts. When the demo is gone, however it went, the service stops as if it had
 * been told to, and is ended for good if that takes too long.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

const patienceMs = 10_000;

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
