import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hang, type Layout } from '../report/layout.ts';
import { widestText } from '../report/terminal.ts';
import { findingIds } from '../rules/finding.ts';
import { findings } from '../rules/findings.ts';
import { describeFileError } from '../source/file-error.ts';
import { findDocsFolder } from '../source/find-docs-folder.ts';
import { listNames } from '../util/list-names.ts';
import { suggestName } from '../util/suggest-name.ts';
import { layMarkdown } from './lay-markdown.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

/** Prints the page of a finding, or the list of all. @returns the exit code. */
export async function explainFinding(name: string | null, { output }: Session): Promise<number> {
  const lines =
    name === null
      ? listFindings(output)
      : layMarkdown(await readPage(name), Math.min(output.width, widestText));
  await output.print(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

function listFindings(layout: Layout): readonly string[] {
  const width = Math.max(...findingIds.map((id) => id.length));
  return findingIds.flatMap((id) => hang(`${id.padEnd(width)}  `, findings[id].title, layout));
}

/** The page of a finding. @throws {UsageError} where no finding has this name. */
export async function readPage(name: string): Promise<string> {
  const id = findingIds.find((each) => each === name);
  const check = id === undefined ? await readCheckSection(name) : null;
  if (check !== null) return check;
  if (id === undefined) {
    const shown = name.slice(0, longestName);
    const meant = listNames(await suggestIds(shown));
    throw new UsageError(
      `explain ${JSON.stringify(shown)}: no finding and no check of doctor has this name; ` +
        `${meant === '' ? '' : `did you mean ${meant}? `}\`propagation-check explain\` lists the findings`,
    );
  }
  const folder = findDocsFolder();
  if (folder === null) throw new UsageError(`explain ${id}: the pages are missing; install the package anew`);
  const path = join(folder, 'docs/findings', `${id}.md`);
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`explain ${id}: ${path}: ${describeFileError(error)}`);
  });
}

/** The section of a check in `docs/doctor.md`; null where no check has this name. */
async function readCheckSection(name: string): Promise<string | null> {
  const folder = findDocsFolder();
  if (folder === null) return null;
  const page = await readFile(join(folder, 'docs/doctor.md'), 'utf8').catch(() => '');
  const [, ...sections] = page.split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${name}\n`));
  return section === undefined ? null : `# ${section}`;
}

/** The id that is misspelt, or the ids that contain the words of the name. */
async function suggestIds(name: string): Promise<readonly string[]> {
  // Loaded only here, because wrong names are rare.
  const { doctorChecks } = await import('../doctor/checks.ts');
  const ids = [...findingIds, ...doctorChecks.map(({ id }) => id)];
  const nearest = suggestName(name, ids);
  if (nearest !== null) return [nearest];
  return name === '' ? [] : ids.filter((id) => `-${id}-`.includes(`-${name.toLowerCase()}-`));
}

/** Longer than every id; limits how much is compared and printed. */
const longestName = 80;
