import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program that uses the SDK of this workspace. @returns its standard output. */
export async function runProgram(program: string, options: readonly string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...options, '-e', program], {
    cwd: import.meta.dirname,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
    },
  });
  return stdout;
}
