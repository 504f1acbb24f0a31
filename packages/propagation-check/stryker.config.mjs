/**
 * Mutation tests of the rules, each mutant judged by the drawings that reach it. `npm run mutation` runs all of them,
 * `npm run mutation -- --mutate src/rules/split-trace.ts` those of some files.
 */
export default {
  testRunner: 'in-process',
  plugins: ['./test/mutation/in-process-runner.ts'],
  testRunnerNodeArgs: ['--conditions=trace-context-source'],
  coverageAnalysis: 'perTest',
  // Code that runs only while a module is loaded needs a process for each mutant: half of the time for a twentieth of them.
  ignoreStatic: true,
  mutate: ['src/rules/**/*.ts', 'src/pairing/**/*.ts', '!src/rules/thresholds.ts', '!src/pairing/bounds.ts'],
  // Words for people: no drawing says them.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: ['corpus', 'captures', '/proto', 'dist', 'reports'],
  checkers: [],
  concurrency: 3,
  // A mutant that loops is killed; a busy machine is slow.
  timeoutMS: 30_000,
  thresholds: { high: 95, low: 90, break: process.env.MUTATION_BREAK === 'off' ? null : 85 },
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  jsonReporter: { fileName: 'reports/mutation.json' },
  tempDirName: '.stryker-tmp',
};
