/** Runs the tests of several files in one process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
/** The key under which `@opentelemetry/api` keeps the global providers. */
const openTelemetry = Symbol.for('opentelemetry.js.api.1');

/**
 * A file that cannot be loaded fails under its name, and the others run.
 */
export async function loadTests(files: readonly string[]): Promise<void> {
  const found = describeProcess();
  for (const file of files) {
    try {
      await import(file);
    } catch (error) {
      test(file, () => {
        throw error;
      });
    }
  }
  test('the files of a folder leave their process as they found it; others end in .alone.test.ts', () => {
    assert.deepEqual([...describeProcess().symmetricDifference(found)], []);
    setTimeout(endProcess, 30_000).unref();
  });
}

/** Ends the process, which a handle that the tests left open would keep alive for ever. */
function endProcess(): void {
  process.stderr.write(`The tests have left open: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}

/** State of the process that tests can change. Without most globals and listeners, because libraries add their own when they are loaded. */
function describeProcess(): Set<string> {
  return new Set([
    `folder ${process.cwd()}`,
    `exit code ${process.exitCode}`,
    ...Object.entries(process.env).map(([name, value]) => `env ${name}=${value}`),
    ...signals.map((name) => `listeners of ${name}: ${process.listenerCount(name)}`),
    ...listRegistrations().map((name) => `OpenTelemetry’s ${name}`),
  ]);
}

function listRegistrations(): readonly string[] {
  const registered: object = Object(Reflect.get(globalThis, openTelemetry));
  return Object.keys(registered).filter((name) => name !== 'version');
}
