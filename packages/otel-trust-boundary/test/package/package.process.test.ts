import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkTypes, installPacked } from '../../../install-packed.ts';

const workspace = fileURLToPath(new URL('../..', import.meta.url));
const traceId = '0af7651916cd43dd8448eb211c80319c';

suite('the packed library, installed in an empty folder', () => {
  let folder = '';

  before(async () => {
    const { devDependencies } = JSON.parse(await readFile(join(workspace, 'package.json'), 'utf8'));
    // The README imports these beside the package.
    const others = [
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/instrumentation-http',
      '@opentelemetry/instrumentation-undici',
      '@opentelemetry/sdk-node',
      'fastify',
    ].map((name) => `${name}@${devDependencies[name]}`);
    folder = await installPacked(workspace, others);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test('holds code, types and licence, and no tests', async () => {
    const root = join(folder, 'node_modules/otel-trust-boundary');
    assert.deepEqual((await readdir(root)).sort(), ['LICENSE', 'README.md', 'dist', 'package.json']);
    for (const path of ['dist/index.js', 'dist/index.d.ts']) assert.ok(existsSync(join(root, path)), path);
  });

  test('the code of the README runs, and continues the trace of a trusted caller', async () => {
    const readme = await readFile(join(folder, 'node_modules/otel-trust-boundary/README.md'), 'utf8');
    const [telemetry, server] = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
    assert.ok(telemetry !== undefined && server !== undefined);
    await writeFile(join(folder, 'telemetry.js'), telemetry);
    await writeFile(join(folder, 'server.js'), server);
    const child = spawn(process.execPath, ['--import', './telemetry.js', 'server.js'], {
      cwd: folder,
      env: { PATH: process.env.PATH, PORT: '0', TRUST_INCOMING: '127.0.0.0/8' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [url] = await Promise.race([
        once(child.stdout, 'data'),
        once(child, 'exit').then(() => assert.fail('the service ended')),
      ]);
      // Not sampled: nothing is exported.
      const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-00` };
      const answer = await fetch(String(url).trim(), { headers });
      assert.equal(await answer.text(), 'hello');
      assert.match(
        String(answer.headers.get('server-timing')),
        new RegExp(`^trace;desc=00-${traceId}-[0-9a-f]{16}-00$`),
      );
    } finally {
      child.kill();
    }
  });

  test('its types are complete', async () => {
    await writeFile(
      join(folder, 'use.ts'),
      `import { NodeSDK } from '@opentelemetry/sdk-node';
       import fastify from 'fastify';
       import { parseTrust, type Trust, TrustBoundary } from 'otel-trust-boundary';
       const trust: Trust = parseTrust('10.0.0.0/8');
       const { propagator, spanProcessor, fastify: plugin } = new TrustBoundary({ trust });
       new NodeSDK({ textMapPropagator: propagator, spanProcessors: [spanProcessor] }).start();
       await fastify().register(plugin);
      `,
    );
    compile('use.ts');
  });

  test('its declared version of Node is the one that its dependencies need', async () => {
    const [own, core] = await Promise.all(
      ['otel-trust-boundary', '@opentelemetry/core'].map(async (name) =>
        JSON.parse(await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')),
      ),
    );
    assert.equal(own.engines.node, core.engines.node);
  });

  test('its types are complete without fastify, which is an optional peer', async () => {
    await rm(join(folder, 'node_modules/fastify'), { recursive: true });
    await writeFile(
      join(folder, 'use-without-fastify.ts'),
      `import { parseTrust, TrustBoundary } from 'otel-trust-boundary';
       export const { propagator } = new TrustBoundary({ trust: parseTrust('never') });
      `,
    );
    compile('use-without-fastify.ts');
  });

  function compile(file: string): void {
    assert.deepEqual(checkTypes(folder, file, '--skipLibCheck', 'false'), { status: 0, stdout: '' });
  }
});
