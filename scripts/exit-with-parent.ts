/**
 * Loaded into a service that the demo starts. When the demo is gone, however it went, the service stops as if it had
 * been told to, and is ended for good if that takes too long.
 */
const patienceMs = 10_000;

process.once('disconnect', () => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), patienceMs).unref();
  process.kill(process.pid, 'SIGTERM');
});
// The channel must not keep a service alive that has stopped.
process.channel?.unref();
