import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Lists the programs that are not on the PATH. */
export async function findMissing(tools: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    tools.map((tool) =>
      // `go` has no --version: it exists, and fails with its own error.
      run(tool, ['--version']).then(
        () => true,
        (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
      ),
    ),
  );
  return tools.filter((_, index) => found[index] === false);
}
