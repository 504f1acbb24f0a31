/**
 * Preloaded into each test file: ends the process when a handle that the tests left open keeps it alive. Not `--test-force-exit`, which ends
 * the process before its last results are read, so that failures lose their reason.
 */

/** Time in ms in which handles must close after the last test. */
const longestClosing = 20_000;

// Not in the process that starts the files, where the import of `node:test` would start another test run.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  const { after, afterEach, beforeEach } = await import('node:test');
  let begun = 0;
  let running = 0;
  beforeEach(() => {
    begun += 1;
    running += 1;
  });
  afterEach(() => {
    running -= 1;
  });
  const watch = () => {
    const before = begun;
    setTimeout(() => {
      // A file that imports others may start more tests after its first tests have ended.
      if (running > 0 || begun > before) return watch();
      process.stderr.write(`left open after the tests: ${process.getActiveResourcesInfo().join(', ')}\n`);
      process.exit(1);
    }, longestClosing).unref();
  };
  after(watch);
}
