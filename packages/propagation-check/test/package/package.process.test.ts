import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build as bundle } from 'rolldown';
import { checkTypes, installPacked, npm } from '../../../install-packed.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { brokenCapture, healthyCapture, readCapture } from '../cli/captures.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const workspace = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The Node.js of this test, and all other versions on the PATH: users may have older ones. */
const nodes = findNodes();

suite('the packed tool, installed in an empty folder', () => {
  let folder = '';

  before(async () => {
    folder = await installPacked(workspace);
    for (const name of [healthyCapture, brokenCapture])
      await writeFile(join(folder, name), readCapture(name));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test('contains code, types, licence, schema and the pages of the findings, and no tests', async () => {
    const root = join(folder, 'node_modules/propagation-check');
    assert.deepEqual((await readdir(root)).sort(), [
      'LICENSE',
      'README.md',
      'audit.schema.json',
      'configuration.schema.json',
      'dist',
      'expectation.schema.json',
      'package.json',
      'report.schema.json',
      'runners',
    ]);
    for (const path of [
      'dist/index.d.ts',
      'dist/cli.js',
      'dist/source/piece-worker.js',
      'dist/docs/findings/split-trace.md',
    ]) {
      assert.ok(existsSync(join(root, path)), path);
    }
  });

  for (const [version, node] of nodes) {
    suite(`with Node ${version}`, () => {
      test('exit code 0 for a healthy capture, 1 for a broken one', () => {
        const healthy = start(node, folder, 'file', healthyCapture);
        assert.deepEqual([healthy.status, healthy.stderr], [0, '']);
        assert.match(healthy.stdout, /^INTACT /);
        const broken = start(node, folder, 'file', brokenCapture);
        assert.deepEqual([broken.status, broken.stderr], [1, '']);
        assert.match(broken.stdout, /^BROKEN {2}1 of 1 edge, 6 of 6 calls/);
        const page = /^ {2}read +(\S+)$/m.exec(broken.stdout)?.[1];
        assert.ok(page !== undefined && existsSync(join(folder, page)), page ?? broken.stdout);
        const explained = start(node, folder, 'explain', 'split-trace');
        assert.deepEqual([explained.status, explained.stdout.split('\n')[0]], [0, '# split-trace']);
      });

      test('the HTML report has its script', async () => {
        const { status, stderr } = start(
          node,
          folder,
          'file',
          healthyCapture,
          '--report',
          'html=report.html',
        );
        assert.deepEqual([status, stderr], [0, '']);
        assert.match(await readFile(join(folder, 'report.html'), 'utf8'), /function runPage\(\) \{/);
      });

      test('protobuf, YAML and help work', async () => {
        assert.equal(start(node, folder, '--help').status, 0);
        assert.match(start(node, folder, '--version').stdout, /^\d+\.\d+\.\d+\n$/);
        await writeFile(join(folder, 'expectations.yaml'), 'edges:\n  must: [a -> nowhere]\n');
        const missing = start(node, folder, 'file', healthyCapture, '--expectations', 'expectations.yaml');
        assert.equal(missing.status, 2);
        assert.match(missing.stdout, /a -> nowhere/);
        // Protobuf: field 1, with a resource without content: an export request without spans.
        await writeFile(join(folder, 'spans.pb'), Uint8Array.of(0x0a, 0x02, 0x0a, 0x00));
        const { status, stdout } = start(node, folder, 'file', 'spans.pb');
        assert.equal(status, 2);
        assert.match(stdout, /^CANNOT TELL {2}spans[.]pb: no span in it; /);
      });

      test('works as a library', async () => {
        const source = `
          import { readFileSync } from 'node:fs';
          import { checkTraces, decodeBytes } from 'propagation-check';
          import schema from 'propagation-check/expectation.schema.json' with { type: 'json' };
          import 'propagation-check/configuration.schema.json' with { type: 'json' };
          const { spans } = decodeBytes(readFileSync('${brokenCapture}'));
          console.log(checkTraces(spans).verdict, typeof schema);
        `;
        await writeFile(join(folder, 'library.mjs'), source);
        const { stdout } = await run(node, ['--no-warnings', 'library.mjs'], { cwd: folder });
        assert.equal(stdout, 'broken object\n');
      });
    });
  }

  test('a program can bundle the library', async (t) => {
    const alone = await mkdtemp(join(tmpdir(), 'bundle-'));
    t.after(() => rm(alone, { recursive: true, force: true }));
    const input = join(folder, 'bundled.mjs');
    await writeFile(
      input,
      "import { check } from 'propagation-check';\nconsole.log((await check([])).outcome);\n",
    );
    const file = join(alone, 'bundled.mjs');
    await bundle({ input, platform: 'node', output: { file, codeSplitting: false }, logLevel: 'silent' });
    const runBundle = async () => (await run(process.execPath, [file], { cwd: alone })).stdout;
    assert.equal(await runBundle(), 'unknown\n');
    await writeFile(join(alone, 'package.json'), '{}');
    assert.equal(await runBundle(), 'unknown\n');
  });

  test('its worker thread decodes a piece of a file', async (t) => {
    const address = pathToFileURL(join(folder, 'node_modules/propagation-check/dist/source/piece-worker.js'));
    const worker = new Worker(address, { workerData: 'json-lines' });
    t.after(() => worker.terminate());
    const { spans } = readFixtureDrawing('span-lost-in-service/shown.txt');
    const piece = new TextEncoder().encode(encodeOtlpLines(spans));
    worker.postMessage({ buffer: piece.buffer, length: piece.length });
    const [answer] = await once(worker, 'message');
    assert.deepEqual([answer.error, answer.batch.size], [null, spans.length]);
  });

  test('npx finds it', async () => {
    const { stdout } = await npm(folder, 'exec', '--offline', '--no', '--', 'propagation-check', '--version');
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test('its types are complete', async () => {
    await writeFile(
      join(folder, 'use.cts'),
      "import { checkTraces, type Result } from 'propagation-check';\nexport const result: Result = checkTraces([]);\n",
    );
    assert.deepEqual(checkTypes(folder, 'use.cts'), { status: 0, stdout: '' });
  });

  test('its declared version of Node is the one that its dependencies need', async () => {
    const manifest = JSON.parse(
      await readFile(join(folder, 'node_modules/propagation-check/package.json'), 'utf8'),
    );
    const undici = JSON.parse(await readFile(join(folder, 'node_modules/undici/package.json'), 'utf8'));
    assert.equal(manifest.engines.node, undici.engines.node);
  });
});

/** Starts the command that npm linked in this folder, with this Node.js first on the PATH. */
function start(node: string, cwd: string, ...args: readonly string[]) {
  const PATH = [join(cwd, 'node_modules/.bin'), dirname(node), process.env.PATH].join(delimiter);
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const env = { ...inherited, PATH, NO_COLOR: '1', COLUMNS: '100' };
  return spawnSync('propagation-check', args, { cwd, env, encoding: 'utf8' });
}

/** This Node.js, and one of each other version on the PATH. */
function findNodes(): ReadonlyMap<string, string> {
  const found = new Map([[process.versions.node, process.execPath]]);
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(folder, 'node');
    if (!existsSync(node)) continue;
    const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    const version = stdout?.trim().slice(1) ?? '';
    if (version !== '' && !found.has(version)) found.set(version, node);
  }
  return found;
}
