/** The environment of a user, without variables of npm and of the test runner: with the latter a suite would report to this run. */
export function withoutProject(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/.test(name)),
  );
}
