import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { isAllowed, readLicence } from '../licences.ts';
import { run, runLab } from './run.ts';

const root = join(import.meta.dirname, '..', '..');

describe('npm run sbom', () => {
  it('finds no licence that is not allowed, and writes a valid CycloneDX document', async () => {
    const ran = await runLab('sbom.ts');
    assert.deepEqual([ran.code, ran.stderr], [0, '']);
    const bom = JSON.parse(await readFile(join(root, 'out', 'sbom.cdx.json'), 'utf8'));
    const validate = await compileSchema(bom.specVersion);
    assert.deepEqual(validate(bom), []);
    // The validator must be able to fail.
    assert.notDeepEqual(validate({ ...bom, components: [{ name: 'no type' }] }), []);

    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const paths = Object.keys(lock.packages).filter((path) => path.includes('node_modules/'));
    const listed = new Set(bom.components.map((one: { purl: string }) => decodeURIComponent(one.purl)));
    const missing = paths.filter((path) => {
      const { name = path.split('node_modules/').at(-1), version, link } = lock.packages[path];
      return !link && !listed.has(`pkg:npm/${name}@${version}`);
    });
    assert.deepEqual(missing, []);
    assert.equal(bom.metadata.component.name, 'trace-context-propagation');
  });

  for (const [what, license, said] of [
    ['is not allowed', 'GPL-3.0-only', 'evil@1.0.0: the licence GPL-3.0-only is not allowed'],
    ['is not stated', undefined, 'evil@1.0.0: the licence is unknown'],
    ['is no SPDX expression', 'see file', 'evil@1.0.0: the licence is unknown'],
  ] as const) {
    it(`fails on a dependency whose licence ${what}`, async (t) => {
      const folder = await makeProject(t, license);
      const { code, stderr } = await runLab('sbom.ts', [folder]);
      assert.equal(code, 1);
      assert.equal(stderr.split('\n')[0], said);
    });
  }

  it('refuses a folder without a lock file', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sbom-'));
    t.after(() => rm(folder, { recursive: true }));
    for (const [place, said] of [
      [folder, `there is no package-lock.json in ${folder}`],
      [join(folder, 'nowhere'), `there is no package-lock.json in ${join(folder, 'nowhere')}`],
    ] as const) {
      const { code, stdout, stderr } = await runLab('sbom.ts', [place]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.equal(stderr, `${said}: name the folder of an npm project\n`);
    }
  });

  it('refuses a lock file that npm cannot read', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sbom-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'package-lock.json'), '{');
    const { code, stdout, stderr } = await runLab('sbom.ts', [folder]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^npm cannot list the dependencies of /);
  });

  for (const args of [['--nope'], ['one', 'two']]) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await runLab('sbom.ts', args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^error: (unknown option '--nope'|too many arguments)/);
    });
  }
});

describe('a licence', () => {
  for (const [licence, allowed] of [
    ['MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['(MIT AND GPL-3.0-only)', false],
    ['(Apache-2.0 AND BSD-3-Clause)', true],
    ['UNLICENSED', false],
    ['', false],
    [null, false],
  ] as const) {
    it(`${JSON.stringify(licence)} is ${allowed ? '' : 'not '}allowed`, () =>
      assert.equal(isAllowed(licence), allowed));
  }

  it('is a conjunction when several are stated', () => {
    const licenses = [{ license: { id: 'MIT' } }, { license: { id: 'GPL-2.0-only' } }];
    const licence = readLicence({ name: 'x', version: '1', licenses });
    assert.deepEqual([licence, isAllowed(licence)], ['(MIT) AND (GPL-2.0-only)', false]);
  });
});

describe('install scripts', () => {
  it('has no dependency but a tool of development, which is denied', async () => {
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const withScripts = Object.entries<{ hasInstallScript?: boolean; dev?: boolean }>(lock.packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript,
    );
    assert.deepEqual(
      withScripts.map(([path, { dev }]) => [path, dev]),
      [['node_modules/@swc/core', true]],
    );
    const { allowScripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    assert.deepEqual(allowScripts, { '@swc/core': false });
  });

  it('do not run in images and in workflows', async () => {
    for (const file of [
      'deploy/Dockerfile',
      'packages/propagation-check/Dockerfile',
      '.github/workflows/ci.yml',
      '.github/workflows/release.yml',
    ]) {
      for (const [command] of (await readFile(join(root, file), 'utf8')).matchAll(
        /^.*\bnpm (ci|install|cit)\b(\\\n|.)*$/gm,
      )) {
        assert.match(command, / --ignore-scripts\b/, file);
      }
    }
  });
});

/** Makes a project with one dependency, which has an install script. */
async function makeProject(t: TestContext, license: string | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sbom-'));
  t.after(() => rm(folder, { recursive: true }));
  const source = await mkdtemp(join(tmpdir(), 'evil-'));
  t.after(() => rm(source, { recursive: true }));
  const evil = { name: 'evil', version: '1.0.0', license, scripts: { postinstall: 'touch ran' } };
  await writeFile(join(source, 'package.json'), JSON.stringify(evil));
  const packed = await run('npm', ['pack', source], { cwd: folder });
  assert.equal(packed.code, 0, packed.stderr);
  const dependencies = { evil: 'file:evil-1.0.0.tgz' };
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'project', version: '1.0.0', dependencies }),
  );
  const locked = await run('npm', ['install', '--package-lock-only', '--offline'], { cwd: folder });
  assert.equal(locked.code, 0, locked.stderr);
  return folder;
}

/** @returns a function that lists the schema errors of a document */
async function compileSchema(specVersion: string) {
  const require = createRequire(import.meta.url);
  const library = join(require.resolve('@cyclonedx/cyclonedx-library/package.json'), '..', 'res', 'schema');
  const read = async (name: string) =>
    JSON.parse(await readFile(join(library, `${name}.SNAPSHOT.schema.json`), 'utf8'));
  const ajv = new Ajv({ strict: false, formats: { 'idn-email': true, 'iri-reference': true } });
  addFormats.default(ajv);
  for (const part of ['spdx', 'jsf-0.82']) {
    ajv.addSchema(await read(part), `http://cyclonedx.org/schema/${part}.SNAPSHOT.schema.json`);
  }
  const isValid = ajv.compile(await read(`bom-${specVersion}`));
  return (document: unknown) =>
    isValid(document) ? [] : (isValid.errors ?? []).map(({ message }) => message);
}
