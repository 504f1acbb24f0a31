import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../src/source/replace-file.ts';
import { makeFolder } from '../cli/run-cli.ts';

test('a file is replaced, even if a killed process with the same id left a temporary file', async (t) => {
  const folder = await makeFolder(t, { 'state.json': 'old' });
  const path = join(folder, 'state.json');
  await writeFile(`${path}.${process.pid}.tmp`, 'ne');
  await replaceFile(path, 'new');
  assert.equal(await readFile(path, 'utf8'), 'new');
  assert.deepEqual(await readdir(folder), ['state.json']);
});
