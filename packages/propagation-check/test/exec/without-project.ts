/** The environment of a user: neither npm's variables of this project nor the test runner's, which would take a suite for a part of this one. */
export function withoutProject(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/.test(name)),
  );
}
