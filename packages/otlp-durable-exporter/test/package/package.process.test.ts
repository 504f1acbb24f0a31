import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startOtlpReceiver } from 'propagation-check';

const workspace = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

suite('the packed exporter, installed in an empty folder', () => {
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'otlp-durable-exporter-package-'));
    await npm(workspace, 'pack', '--pack-destination', folder);
    const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    assert.ok(tarball);
    await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    const { devDependencies } = JSON.parse(await readFile(join(workspace, 'package.json'), 'utf8'));
    const app = ['api', 'exporter-trace-otlp-http', 'sdk-trace'].map((name) => `@opentelemetry/${name}`);
    const packages = app.map((name) => `${name}@${devDependencies[name]}`);
    await npm(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`, ...packages);
    await writeFile(join(folder, 'app.ts'), `${await readExample()}\nawait provider.shutdown();\n`);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test('holds code, types, licence and documentation, and no tests', async () => {
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
    const root = join(workspace, '../../node_modules');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--types', 'node'];
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, 'typescript/bin/tsc'), ...options, '--typeRoots', join(root, '@types'), 'app.ts'],
      { cwd: folder, encoding: 'utf8' },
    );
    assert.deepEqual([status, stdout], [0, '']);
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

async function npm(cwd: string, ...args: readonly string[]): Promise<void> {
  // npm tells what it starts which project it is in, and this is another one.
  const { npm_config_local_prefix: _, npm_config_workspace: __, ...env } = process.env;
  await run('npm', args, { cwd, env });
}
