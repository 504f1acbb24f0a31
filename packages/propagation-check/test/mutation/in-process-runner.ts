/**
 * A test runner for Stryker that uses one process for many mutants, because a drawing takes milliseconds and a process takes a second. The
 * instrumented sources contain all mutants, and a global variable selects the active one. Tests of the mutated file run first.
 */
import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from '@stryker-mutator/api/core';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import type { CollectedTest } from './collect-tests.ts';

/**
 * Each drawing is a separate test, so that a mutant runs only the drawings that reach it. Tests that read the sources are left out, because
 * they would read instrumented sources. Fewer tests, in `MUTATION_TESTS`, take less time.
 */
const testFiles =
  process.env.MUTATION_TESTS ??
  'test/{calls/mcp,engine/{fixtures,rank-by-*,unreceived},expectation/*,headers/*,pairing/*,rules/!(sources),verdict/*}.test.ts';

const context: InstrumenterContext = {};
Object.assign(globalThis, { [INSTRUMENTER_CONSTANTS.NAMESPACE]: context });

class InProcessRunner implements TestRunner {
  readonly #tests = new Map<string, CollectedTest>();
  /** How often each test was the first to fail. */
  readonly #kills = new Map<string, number>();
  readonly #durations = new Map<string, number>();

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: false };
  }

  async dryRun({ disableBail }: DryRunOptions): Promise<DryRunResult> {
    await this.#load();
    const result = await this.#run([...this.#tests.keys()], disableBail);
    return context.mutantCoverage === undefined || result.status !== DryRunStatus.Complete
      ? result
      : { ...result, mutantCoverage: context.mutantCoverage };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, testFilter, sandboxFileName, hitLimit, disableBail } = options;
    if (mutantActivation === 'static') context.activeMutant = activeMutant.id;
    await this.#load();
    context.activeMutant = activeMutant.id;
    if (hitLimit === undefined) delete context.hitLimit;
    else context.hitLimit = hitLimit;
    if (hitLimit === undefined) delete context.hitCount;
    else context.hitCount = 0;
    const names = this.#order(testFilter ?? [...this.#tests.keys()], basename(sandboxFileName, '.ts'));
    const result = await this.#run(names, disableBail);
    delete context.activeMutant;
    return determineHitLimitReached(context.hitCount, context.hitLimit) === undefined
      ? toMutantRunResult(result)
      : toMutantRunResult({ status: DryRunStatus.Timeout });
  }

  /** Loads the tests once. In a sandbox the working directory is the sandbox. */
  async #load(): Promise<void> {
    if (this.#tests.size > 0) return;
    const url = pathToFileURL(resolve('test/mutation/collect-tests.ts')).href;
    registerHooks({
      resolve: (specifier, where, next) =>
        specifier === 'node:test' ? { url, shortCircuit: true } : next(specifier, where),
    });
    const { collected }: typeof import('./collect-tests.ts') = await import(url);
    for (const file of globSync(testFiles).sort()) {
      const from = collected.length;
      await import(pathToFileURL(resolve(file)).href);
      for (const test of collected.slice(from)) this.#tests.set(`${basename(file)} > ${test.name}`, test);
    }
  }

  #order(names: readonly string[], rule: string): readonly string[] {
    const weigh = (name: string): number =>
      (name.includes(`> ${rule} >`) || name.startsWith(`${rule}.`) ? 1_000 : 0) +
      (this.#kills.get(name) ?? 0) -
      (this.#durations.get(name) ?? 0);
    return names.toSorted((one, other) => weigh(other) - weigh(one));
  }

  async #run(names: readonly string[], disableBail: boolean): Promise<DryRunResult> {
    const tests: TestResult[] = [];
    for (const name of names) {
      context.currentTestId = name;
      const result = await runTest(name, this.#tests.get(name));
      tests.push(result);
      this.#durations.set(name, result.timeSpentMs);
      if (result.status !== TestStatus.Failed) continue;
      this.#kills.set(name, (this.#kills.get(name) ?? 0) + 1);
      if (!disableBail) break;
    }
    delete context.currentTestId;
    return { status: DryRunStatus.Complete, tests };
  }
}

async function runTest(name: string, test: CollectedTest | undefined): Promise<TestResult> {
  const start = performance.now();
  const describe = () => ({ id: name, name, timeSpentMs: performance.now() - start });
  try {
    await test?.run();
    return { ...describe(), status: TestStatus.Success };
  } catch (error) {
    return { ...describe(), status: TestStatus.Failed, failureMessage: String(error).slice(0, 500) };
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner)];
