/** The properties again, with all of their cases. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

process.env.PROPERTY_CASES = 'all';
const isSplit = (file: string) => /\bcases\(\d/.test(readFileSync(file, 'utf8'));
const files = globSync('*/*.test.ts', { cwd: import.meta.dirname })
  .map((file) => join(import.meta.dirname, file))
  .filter(isSplit);

test('there are properties', () => assert.ok(files.length > 0));

for (const file of files) await import(file);
