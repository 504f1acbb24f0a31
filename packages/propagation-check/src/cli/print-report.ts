import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ReportDetails, renderJson } from '../report/json.ts';
import { renderTerminal } from '../report/terminal.ts';
import type { FindingOptions } from '../report/terminal-findings.ts';
import type { Result } from '../verdict/result.ts';
import type { CheckArguments, ReportFormat } from './common-options.ts';
import type { Output } from './open-output.ts';

type Render = (result: Result, details: ReportDetails, options: FindingOptions) => string;

const reports: Readonly<Record<ReportFormat, Render>> = { terminal: renderTerminal, json: renderJson };

/** @returns The exit code: 0 intact, 1 broken, 2 unknown. */
export async function printReport(
  result: Result,
  details: ReportDetails,
  args: CheckArguments,
  output: Output,
): Promise<number> {
  const render = reports[args.json ? 'json' : args.report];
  await output.print(render(result, details, { ...output, docsRoot: findDocsRoot() }));
  return { intact: 0, broken: 1, unknown: 2 }[result.verdict];
}

/** The package has a copy of the repository's pages beside its code. */
function findDocsRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const root = [join(here, '..'), join(here, '../../../..')].find((folder) =>
    existsSync(join(folder, 'docs/findings')),
  );
  if (root === undefined) return '';
  const near = relative(process.cwd(), root);
  const shown = near.length < root.length ? near : root;
  return shown === '' ? '' : `${shown}/`;
}
