/**
 * Preloaded into each file of tests: ends the process when something that the tests left open keeps it. `--test-force-exit` ends it before
 * its last results are read, so that failures lose their reason.
 */

/** In ms: what closes after the last test has closed by then. */
const longestClosing = 20_000;

// Not in the process that starts the files: there the import would begin a test run of its own.
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
      // A file that imports others may have tests again after its first ones have ended.
      if (running > 0 || begun > before) return watch();
      process.stderr.write(`left open after the tests: ${process.getActiveResourcesInfo().join(', ')}\n`);
      process.exit(1);
    }, longestClosing).unref();
  };
  after(watch);
}
