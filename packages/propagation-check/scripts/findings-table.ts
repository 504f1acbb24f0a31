import { findings } from '../src/rules/findings.ts';

const table = /(?<=\n\| what the data shows .*\n\|---.*\n)(?:\|.*\n)+/;

/** @returns the page with the table of all findings as the rules describe them */
export function fillFindingsTable(page: string): string {
  const rows = Object.values(findings).map(({ id, kind, shows, title }) => {
    const words = title.replaceAll('\u2019', "'");
    return `| ${shows} | [${id}](${id}.md) | ${words} | ${kind} |\n`;
  });
  if (!table.test(page)) throw new Error('the page has no table that begins with "what the data shows"');
  return page.replace(table, () => rows.join(''));
}
