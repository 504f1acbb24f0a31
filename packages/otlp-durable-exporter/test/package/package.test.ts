import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
    await npm(workspace, 'run', 'pack', '--', '--pack-destination', folder);
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
    const { url, close } = await openReceiver();
    await close();
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    assert.equal((await readdir(join(folder, 'spool'))).length, 1);

    await using receiver = await startOtlpReceiver({ port: Number(new URL(url).port) });
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    assert.deepEqual(await readdir(join(folder, 'spool')), []);
    const spans = await collectSpans(receiver);
    assert.deepEqual(spans, ['work', 'work']);
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

  function start(env: NodeJS.ProcessEnv) {
    return run(process.execPath, ['app.ts'], { cwd: folder, env: { ...process.env, ...env } });
  }
});
