import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDistance } from './free-ports.ts';

const module = JSON.stringify(join(import.meta.dirname, 'free-ports.ts'));
const script = `
  const { findFreePort } = await import(${module});
  process.stdout.write(String(await findFreePort()));
  setInterval(() => {}, 1_000);`;

test('a port is reserved while the process that found it runs, and no longer when that is killed', async (t) => {
  const finder = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => finder.kill('SIGKILL'));
  const [port] = await once(finder.stdout, 'data');
  const lock = Number(port) - lockDistance;
  assert.equal(await isFree(lock), false);
  finder.kill('SIGKILL');
  await once(finder, 'close');
  assert.equal(await isFree(lock), true);
});

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
