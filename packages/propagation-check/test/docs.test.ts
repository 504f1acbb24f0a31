import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderCliReference } from '../scripts/cli-reference.ts';
import { fillFindingsTable } from '../scripts/findings-table.ts';
import { findingIds } from '../src/rules/finding.ts';

const folder = fileURLToPath(new URL('../../../docs/findings/', import.meta.url));
const index = join(folder, 'README.md');

const sections = [
  'What you see',
  'Why it happens',
  'How to be sure',
  'How to fix it',
  'Not to be confused with',
] as const;

const languages = ['Node', 'Java', 'Python', 'Go'] as const;

it('the reference of the command line is that of the code (npm run docs -w propagation-check writes it)', () => {
  assert.equal(readText(join(folder, '..', 'cli.md')), renderCliReference());
});

describe('docs of findings', () => {
  it('has a page for each finding and no other', () => {
    const pages = readdirSync(folder).filter((name) => name !== 'README.md');
    assert.deepEqual(pages.sort(), findingIds.map((id) => `${id}.md`).sort());
  });

  it('lists each finding in the table as its rule describes it (npm run docs -w propagation-check writes it)', () => {
    assert.equal(readText(index), fillFindingsTable(readText(index)));
  });

  for (const id of findingIds) {
    describe(id, () => {
      const page = join(folder, `${id}.md`);

      it('begins with its id and a summary of one sentence', () => {
        const [title, summary, next] = readText(page).split('\n\n');
        assert.equal(title, `# ${id}`);
        assert.match(summary ?? '', /^[A-Z](?:[^.]|\.(?=\S))*\.$/);
        assert.equal(next, `## ${sections[0]}`);
      });

      it('has the sections of every page, in order and not empty', () => {
        const text = withoutCode(readText(page));
        assert.deepEqual(headingsOf(text, 2), sections);
        for (const section of sections) assert.match(sectionOf(readText(page), section), /\S/, section);
      });

      it('draws the spans', () => {
        assert.match(sectionOf(readText(page), 'What you see'), /^```\n[^`]*(?:SERVER|CLIENT)[^`]*^```$/m);
      });

      it('names a command that helps to decide', () => {
        assert.match(
          sectionOf(readText(page), 'How to be sure'),
          /propagation-check (?:tap|file|trace|run) |curl -v /,
        );
      });

      it('has a fix for each of the four languages, or one for all', () => {
        const headings = headingsOf(withoutCode(sectionOf(readText(page), 'How to fix it')), 3);
        const general = headings.filter((heading) => !['Browser', 'MCP'].includes(heading));
        assert.deepEqual(general, general.length === 1 ? ['Any language'] : languages);
      });

      it('links to neighbouring findings', () => {
        const links = linksOf(sectionOf(readText(page), 'Not to be confused with'));
        assert.ok(links.length > 0);
        assert.ok(!links.includes(`${id}.md`), 'a finding is not its own neighbour');
      });
    });
  }
});

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```$/gms, '');
}

function headingsOf(text: string, level: number): readonly string[] {
  return [...text.matchAll(/^(#+) (.+)$/gm)]
    .filter(([, marks]) => marks?.length === level)
    .map(([, , title]) => title ?? '');
}

/** The text from a heading of level 2 to the next; code may hold lines that look like headings of level 1. */
function sectionOf(text: string, title: string): string {
  return (
    text
      .split(/^## /m)
      .find((part) => part.startsWith(`${title}\n`))
      ?.slice(title.length) ?? ''
  );
}

function linksOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}
