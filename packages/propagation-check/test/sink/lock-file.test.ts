import assert from 'node:assert/strict';
import { once } from 'node:events';
import { link, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFile } from '../../src/sink/lock-file.ts';
import { makeFolder } from '../cli/run-cli.ts';

/** Makes the lock of a process that was killed: a socket on which nobody listens. */
async function leaveLock(path: string): Promise<void> {
  const server = createServer().listen(`${path}.owner`);
  await once(server, 'listening');
  await link(`${path}.owner`, `${path}.lock`);
  server.close();
  await once(server, 'close');
}

test('a file is locked once, under whatever path, until it is released', async (t) => {
  const folder = await makeFolder(t, { 'state.json': '{}' });
  const path = join(folder, 'state.json');
  await symlink(path, join(folder, 'link.json'));
  const unlock = await lockFile(path);
  for (const name of ['state.json', 'link.json'])
    await assert.rejects(lockFile(join(folder, name)), /--state .*in use by another sink.*name another file/);
  await unlock();
  await (await lockFile(join(folder, 'link.json')))();
});

test('the lock of a killed process locks nothing, and only one of two processes gets it', async (t) => {
  const path = join(await makeFolder(t), 'state.json');
  await leaveLock(path);
  await (await lockFile(path))();
  await leaveLock(path);
  const both = await Promise.allSettled([lockFile(path), lockFile(path)]);
  const [unlock, ...others] = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  assert.ok(unlock !== undefined && others.length === 0);
  await assert.rejects(lockFile(path), /in use/);
  await unlock();
});

test('the error explains why a lock cannot be made', async (t) => {
  const folder = await makeFolder(t);
  await assert.rejects(
    lockFile(join(folder, 'absent', 'x')),
    /the counters cannot be saved: there is no folder .*absent$/,
  );
  await assert.rejects(
    lockFile(join(folder, 'x'.repeat(120))),
    /too long for the lock beside it \(\d+ bytes, at most 103\)/,
  );
  await writeFile(join(folder, 'x.lock'), 'of somebody else');
  await assert.rejects(lockFile(join(folder, 'x')), /x\.lock is in the way of its lock; move it away/);
});
