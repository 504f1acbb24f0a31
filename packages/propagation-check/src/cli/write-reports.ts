import { appendFile, writeFile } from 'node:fs/promises';
import { describeFileError, quotePath } from '../source/file-error.ts';
import type { Output } from './open-output.ts';
import type { ReportTarget } from './parse-report.ts';

type Render<Name extends string> = (target: ReportTarget<Name>) => string | Promise<string>;

/** Prints and writes the reports. @returns Which files could not be written, and why. */
export async function writeReports<Name extends string>(
  targets: readonly ReportTarget<Name | 'markdown'>[],
  render: Render<Name | 'markdown'>,
  output: Output,
): Promise<readonly string[]> {
  const failures: string[] = [];
  const write = (put: Promise<void>, option: string, path: string) =>
    put.catch((error: unknown) => {
      failures.push(`${option}${quotePath(path)} cannot be written: ${describeFileError(error)}`);
    });
  for (const target of targets) {
    const { name, path } = target;
    const text = await render(target);
    if (path === null) await output.print(text);
    else await write(writeFile(path, text), `--report ${name}: `, path);
    // Source: GitHub Actions, "Adding a job summary".
    const { GITHUB_STEP_SUMMARY: summary = '' } = process.env;
    if (name === 'github' && summary !== '') {
      const markdown = await render({ name: 'markdown', path: summary });
      await write(appendFile(summary, markdown), 'GITHUB_STEP_SUMMARY ', summary);
    }
  }
  return failures;
}
