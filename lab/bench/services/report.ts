/** Loaded into each measured process: answers each message of the bench with the resource usage of the process. */
process.on('message', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  process.send?.({ cpuMicros: userCPUTime + systemCPUTime, memoryBytes: process.memoryUsage.rss() });
});
// Only the service's own work keeps the process alive.
process.channel?.unref();
