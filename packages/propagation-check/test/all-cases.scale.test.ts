/** The tests of `cases.ts` again, with all of their cases. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

process.env.PROPERTY_CASES = 'all';
const isPart = (file: string) => /from '\.\.\/cases\.ts'/.test(readFileSync(file, 'utf8'));
const files = globSync('*/*.test.ts', { cwd: import.meta.dirname })
  .map((file) => join(import.meta.dirname, file))
  .filter(isPart);

test('there are tests that try a part of their cases otherwise', () => assert.ok(files.length > 0));

for (const file of files) await import(file);
