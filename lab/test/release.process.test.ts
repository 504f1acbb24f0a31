import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findContentFaults, findVersionFaults, type Manifest, readNotes } from '../check-release.ts';
import { run, runLab } from './run.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'out', 'release');

describe('npm run release', () => {
  it('packs every package with all files and its checksum, and writes the notes; npm would publish the packages', async () => {
    const { version } = JSON.parse(
      await readFile(join(root, 'packages/propagation-check/package.json'), 'utf8'),
    );
    const made = await runLab('release.ts', [`v${version}`]);
    assert.deepEqual([made.code, made.stderr], [0, '']);
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    assert.deepEqual(
      tarballs.toSorted(),
      ['otel-trust-boundary', 'otlp-durable-exporter', 'propagation-check'].map(
        (name) => `${name}-${version}.tgz`,
      ),
    );
    for (const line of (await readFile(join(folder, 'SHA256SUMS'), 'utf8')).trim().split('\n')) {
      const [checksum, name = ''] = line.split('  ');
      assert.equal(
        createHash('sha256')
          .update(await readFile(join(folder, name)))
          .digest('hex'),
        checksum,
      );
      const published = await run('npm', ['publish', '--dry-run', '--access', 'public', join(folder, name)]);
      assert.equal(published.code, 0, published.stderr);
    }
    assert.match(await readFile(join(folder, 'notes.md'), 'utf8'), /\S/);
  });

  it('refuses a tag that is not the version of the packages', async () => {
    const { code, stderr } = await runLab('release.ts', ['v99.0.0']);
    assert.equal(code, 1);
    assert.match(stderr, /^propagation-check has version \S+ instead of 99\.0\.0$/m);
    assert.match(stderr, /^CHANGELOG\.md says nothing below "## 99\.0\.0"$/m);
  });
});

describe('the check of a release', () => {
  const manifest: Manifest = {
    name: 'one',
    version: '1.0.0',
    bin: { one: 'dist/cli.js' },
    exports: {
      '.': {
        'trace-context-source': './src/index.ts',
        types: './dist/index.d.ts',
        default: './dist/index.js',
      },
      './package.json': './package.json',
    },
  };
  const whole = ['LICENSE', 'README.md', 'dist/cli.js', 'dist/index.d.ts', 'dist/index.js', 'package.json'];

  it('accepts a complete package', () => {
    assert.deepEqual(findContentFaults(manifest, whole), []);
    assert.deepEqual(findVersionFaults([manifest], '1.0.0', '## 1.0.0\n\nNew.\n'), []);
  });

  it('finds an empty package', () => {
    const faults = findContentFaults(manifest, ['LICENSE', 'README.md', 'package.json']);
    assert.deepEqual(
      faults,
      ['dist/index.d.ts', 'dist/index.js', 'dist/cli.js'].map((path) => `one: ${path} is missing`),
    );
  });

  it('finds superfluous files', () => {
    assert.deepEqual(findContentFaults(manifest, [...whole, 'test/one.test.ts', '.env']), [
      'one: test/one.test.ts is in it',
      'one: .env is in it',
    ]);
  });

  it('reads the notes of one version', () => {
    const changelog = '# Changelog\n\n## 1.1.0\n\n- New.\n\n## 1.0.0\n\n- Old.\n';
    assert.equal(readNotes(changelog, '1.1.0'), '- New.');
    assert.equal(readNotes(changelog, '1.0.0'), '- Old.');
    assert.equal(readNotes(changelog, '1.0'), '');
  });
});
