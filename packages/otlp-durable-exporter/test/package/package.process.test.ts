import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startOtlpReceiver } from 'propagation-check';
import { checkTypes, installPacked } from '../../../install-packed.ts';

const workspace = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

suite('the packed exporter, installed in an empty folder', () => {
  let folder = '';

  before(async () => {
    const { devDependencies } = JSON.parse(await readFile(join(workspace, 'package.json'), 'utf8'));
    const app = ['api', 'exporter-trace-otlp-http', 'sdk-trace'].map((name) => `@opentelemetry/${name}`);
    const packages = app.map((name) => `${name}@${devDependencies[name]}`);
    folder = await installPacked(workspace, packages);
    await writeFile(join(folder, 'app.ts'), `${await readExample()}\nawait provider.shutdown();\n`);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test('contains code, types, licence and documentation, and no tests', async () => {
    const root = join(folder, 'node_modules/otlp-durable-exporter');
    assert.deepEqual((await readdir(root)).sort(), ['LICENSE', 'README.md', 'dist', 'package.json']);
    assert.ok((await readdir(join(root, 'dist'))).includes('index.d.ts'));
  });

  test('the example of the README leaves its span in the spool, and its next start delivers two', async () => {
    const receiver = await startOtlpReceiver({ port: 0 });
    const refusing = createServer((_request, response) => response.writeHead(401).end());
    await once(refusing.listen(0, '127.0.0.1'), 'listening');
    const address = refusing.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      await start(`http://127.0.0.1:${address.port}`);
      assert.equal((await readdir(join(folder, 'spool'))).length, 1);
      await start(receiver.url);
      assert.deepEqual(await readdir(join(folder, 'spool')), []);
      assert.deepEqual(
        receiver.readAll().map(({ name }) => name),
        ['work', 'work'],
      );
    } finally {
      refusing.close();
      await receiver.close();
    }
  });

  test('its types are complete', () => {
    assert.deepEqual(checkTypes(folder, 'app.ts'), { status: 0, stdout: '' });
  });

  function start(url: string) {
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: url };
    return run(process.execPath, ['app.ts'], { cwd: folder, env });
  }
});

/** The first block of TypeScript in the README. */
async function readExample(): Promise<string> {
  const text = await readFile(join(workspace, 'README.md'), 'utf8');
  const example = /^```ts\n(.*?)^```$/ms.exec(text)?.[1];
  assert.ok(example);
  return example;
}
