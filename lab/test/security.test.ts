import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

it('SECURITY.md names tests that exist', async () => {
  const page = await readFile(join(root, 'SECURITY.md'), 'utf8');
  const named = [...page.replaceAll('\n', ' ').matchAll(/`([\w./-]+\.test\.ts)`((?:,? "[^"]+")*)/g)];
  assert.ok(named.length > 0);
  for (const [, file = '', names = ''] of named) {
    const source = await readFile(join(root, file), 'utf8');
    const titles = [...names.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
    assert.notDeepEqual(titles, [], `${file}: which test?`);
    for (const title of titles) {
      // The title is followed by the end of the test's name, or by a placeholder.
      const isThere = ["'", '"', '`', '${', ' ${'].some((end) => source.includes(`${title}${end}`));
      assert.ok(isThere, `${file} has no test "${title}"`);
    }
  }
});

it('SECURITY.md names a test for each threat', async () => {
  const page = await readFile(join(root, 'SECURITY.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| (?!who \||-)/.test(line) && !line.startsWith('|---'));
  assert.ok(rows.length > 0);
  for (const row of rows) assert.match(row.split('|').at(-2) ?? '', /`[\w./-]+\.test\.ts` "/, row);
});
