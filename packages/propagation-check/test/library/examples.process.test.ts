/** Runs the examples as a user does: with the packed package, in an empty folder. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withoutProject } from '../exec/without-project.ts';

const workspace = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(workspace, '../../node_modules/typescript/bin/tsc');
const run = promisify(execFile);
const env = { ...withoutProject(), PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };

suite('examples', () => {
  let folder = '';
  let tarball = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'examples-'));
    await run('npm', ['pack', '--pack-destination', folder], { cwd: workspace, env });
    [tarball = ''] = await readdir(folder);
    await cp(join(workspace, 'examples'), folder, { recursive: true });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let installed: string | null = null;
  for (const runner of ['node-test', 'vitest', 'jest']) {
    test(runner, async () => {
      const cwd = join(folder, runner);
      const modules = join(cwd, 'node_modules');
      // npm removes packages that this example does not need, and installs only those that are missing.
      if (installed !== null) await rename(installed, modules);
      const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
      await run('npm', ['install', ...quiet, `../${tarball}`], { cwd, env });
      installed = modules;
      const intact = spawnSync('npm', ['test'], { cwd, env, encoding: 'utf8' });
      assert.equal(intact.status, 0, `${intact.stdout}${intact.stderr}`);
      const broken = spawnSync('npm', ['test'], {
        cwd,
        env: { ...env, OTEL_PROPAGATORS: 'baggage' },
        encoding: 'utf8',
      });
      assert.equal(broken.status, 1);
      assert.match(`${broken.stdout}${broken.stderr}`, /One request, two traces \(split-trace\)/);
    });

    test(`${runner}: TypeScript knows the types`, async () => {
      const cwd = join(folder, runner);
      const example = await readFile(join(cwd, 'web.test.mjs'), 'utf8');
      await writeFile(join(cwd, 'wrong.mjs'), example.replace("'web -> orders'", '42'));
      const { stdout } = spawnSync(process.execPath, [compiler, '--project', cwd], {
        cwd,
        env,
        encoding: 'utf8',
      });
      // The output shows the broken call, and no error of the example itself.
      assert.match(
        stdout,
        /^wrong\.mjs\(.*Argument of type 'number' is not assignable to parameter of type 'string'\.\n$/,
      );
    });
  }
});
