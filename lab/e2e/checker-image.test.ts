import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findObstacle } from './compose-stack.ts';

const checker = join(import.meta.dirname, '..', '..', 'packages', 'propagation-check');
const capture = readFileSync(join(checker, 'captures', 'java-proxy-strips', 'spans.otlp.jsonl.gz'));
const tag = `propagation-check-e2e-${process.pid}`;

const obstacle = await findObstacle();

if (obstacle !== null && process.env.CI === 'true') {
  it('the image can be built', () => assert.fail(obstacle));
}

/** Builds the image as release.yml does, for this platform. */
describe('the image of the checker', { skip: obstacle ?? false, timeout: 5 * 60_000 }, () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'propagation-check-image-'));
    execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: checker, stdio: 'ignore' });
    const { NODE_IMAGE, NPM_CA_FILE } = process.env;
    const built = docker([
      ...['buildx', 'build', '--load', '--tag', tag, '--file', join(checker, 'Dockerfile')],
      ...(NODE_IMAGE ? ['--build-arg', `NODE_IMAGE=${NODE_IMAGE}`] : []),
      ...(NPM_CA_FILE ? ['--secret', `id=npm_ca,src=${NPM_CA_FILE}`] : []),
      folder,
    ]);
    assert.equal(built.status, 0, built.stderr);
  });
  after(() => {
    docker(['image', 'rm', '--force', tag]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('checks standard input as an unprivileged user, without network and with a read-only file system', () => {
    const { status, stdout, stderr } = docker(
      [
        ...['run', '--rm', '--interactive', '--network', 'none', '--read-only', '--cap-drop', 'ALL'],
        tag,
        'file',
        '-',
      ],
      capture,
    );
    assert.deepEqual([status, stderr], [1, '']);
    assert.match(stdout, /^BROKEN /);
  });

  it('is not root', () => {
    const { stdout } = docker(['image', 'inspect', '--format', '{{.Config.User}}', tag]);
    assert.equal(stdout, '1000:1000\n');
  });

  it('contains the package and its dependencies, and none of its sources', () => {
    const { stdout } = docker([
      'run',
      '--rm',
      '--entrypoint',
      'ls',
      tag,
      '/usr/local/lib/node_modules/propagation-check',
    ]);
    assert.deepEqual(stdout.trim().split('\n'), [
      'LICENSE',
      'README.md',
      'audit.schema.json',
      'configuration.schema.json',
      'dist',
      'expectation.schema.json',
      'node_modules',
      'package.json',
      'report.schema.json',
      'runners',
    ]);
  });
});

function docker(args: readonly string[], input?: Uint8Array) {
  return spawnSync('docker', [...args], { input, encoding: 'utf8' });
}
