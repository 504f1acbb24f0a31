/**
 * Mutation tests of the rules: each mutant is judged by all drawings. `npm run mutation` runs all of them,
 * `npm run mutation -- --mutate src/rules/split-trace.ts` those of some files.
 */
export default {
  testRunner: 'command',
  commandRunner: {
    command: `"${process.execPath}" --conditions=trace-context-source test/mutation-suite.ts`,
  },
  mutate: ['src/rules/**/*.ts', 'src/pairing/**/*.ts', '!src/rules/thresholds.ts', '!src/pairing/bounds.ts'],
  // Words for people: no drawing says them.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: ['corpus', 'captures', 'proto', 'dist', 'reports'],
  checkers: [],
  concurrency: 2,
  // A mutant that loops is killed; a busy machine is slow.
  timeoutMS: 30_000,
  thresholds: { high: 95, low: 90, break: 85 },
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  jsonReporter: { fileName: 'reports/mutation.json' },
  incrementalFile: 'reports/incremental.json',
  tempDirName: '.stryker-tmp',
};
