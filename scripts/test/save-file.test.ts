import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { saveFile } from '../save-file.ts';

test('a file is written atomically; on an error the problem is described and no draft is left', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'save-file-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'out', 'report.html');
  assert.equal(await saveFile(path, 'page'), null);
  assert.equal(await readFile(path, 'utf8'), 'page');
  assert.match((await saveFile(join(path, 'deeper', 'x'), '')) ?? '', /^no such file: a part of the path/);
  await mkdir(join(folder, 'taken'));
  assert.match((await saveFile(join(folder, 'taken'), '')) ?? '', /^a folder; name a file in it$/);
  assert.deepEqual((await readdir(folder)).sort(), ['out', 'taken']);
});

test('a folder without write permission is reported without the name of the draft', {
  skip: process.platform === 'win32' || process.getuid?.() === 0 ? 'this user may write everywhere' : false,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'save-file-'));
  t.after(() => rm(folder, { recursive: true }));
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o500 });
  assert.equal(await saveFile(join(closed, 'x'), ''), 'not allowed (permission denied)');
});
