import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const report = readSection('../README.md');
const audit = readSection('../../../docs/audit.md');

const pages = {
  'report.schema.json': { where: 'the README', text: report },
  'audit.schema.json': { where: 'docs/audit.md, or the README that it links to,', text: audit + report },
} as const;

for (const [file, { where, text }] of Object.entries(pages))
  test(`${where} names each field of ${file}`, () => {
    const missing = listFields(file).filter((name) => !new RegExp(`\`${name}(?:\\[\\])?[\`:]`).test(text));
    assert.deepEqual(missing, []);
  });

function listFields(file: string): readonly string[] {
  const fields = new Set<string>();
  JSON.parse(readText(`../${file}`), (key, value: unknown) => {
    if (key === 'properties' && typeof value === 'object' && value !== null)
      for (const name of Object.keys(value)) fields.add(name);
    return value;
  });
  assert.ok(fields.has('findings'));
  return [...fields];
}

function readSection(path: string): string {
  const section = readText(path)
    .split(/^## /m)
    .find((part) => part.startsWith('The JSON report\n'));
  assert.ok(section !== undefined, path);
  return section;
}

function readText(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
