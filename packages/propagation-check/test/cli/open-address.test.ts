import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnOfOpenAddress } from '../../src/source/open-address.ts';
import { executeCli, spawnCli } from './run-cli.ts';

test('an address that only this machine can reach gives no warning', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '[::1]']) {
    assert.equal(warnOfOpenAddress(`http://${host}:1`), null, host);
  }
  for (const host of ['0.0.0.0', '[::]', '192.168.0.1', 'example.com', '[2001:db8::1]']) {
    assert.match(warnOfOpenAddress(`http://${host}:1`) ?? '', /^other machines can reach /, host);
  }
});

test('a receiver that others can reach warns on standard error', async () => {
  const open = await executeCli('run', 'http://127.0.0.1:1/', '--source', 'otlp=0.0.0.0:0');
  assert.match(
    open.stderr,
    /^propagation-check: otlp=0\.0\.0\.0:\d+: other machines can reach 0\.0\.0\.0, and nobody is asked who they are; .*\n/,
  );
  const closed = await executeCli('run', 'http://127.0.0.1:1/', '--source', 'otlp=127.0.0.1:0');
  assert.doesNotMatch(closed.stderr, /other machines/);
});

test('a tap that others can reach warns on standard error', async (t) => {
  for (const [listen, warns] of [
    ['0.0.0.0:0', true],
    ['0', false],
  ] as const) {
    const tap = spawnCli(t, ['tap', '--listen', listen, '--target', 'http://127.0.0.1:1']);
    let said = '';
    for await (const chunk of tap.stderr) {
      said += chunk;
      if (said.includes('listening on')) tap.kill('SIGINT');
    }
    assert.equal(said.includes('other machines can reach 0.0.0.0'), warns, said);
  }
});
