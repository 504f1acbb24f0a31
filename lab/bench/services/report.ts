/** Loaded into each measured process: answers each message of the bench with what the process has used so far. */
process.on('message', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  process.send?.({ cpuMicros: userCPUTime + systemCPUTime, memoryBytes: process.memoryUsage.rss() });
});
// Only what the service itself does keeps it alive.
process.channel?.unref();
