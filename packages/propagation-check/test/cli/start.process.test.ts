import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { makeFolder } from './run-cli.ts';

const cli = join(import.meta.dirname, '../../src/cli.ts');

/** Prints the URL of each loaded module on standard error. */
const listModules = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });
`)}`;

async function listLoaded(...args: readonly string[]): Promise<readonly string[]> {
  const loading = promisify(execFile)(process.execPath, ['--import', listModules, cli, ...args]);
  const { stderr } = await loading.catch((failed: { readonly stderr: string }) => failed);
  return stderr.split('\n').filter((line) => line.startsWith('loaded '));
}

const large = ['zod', '@bufbuild/protobuf', 'undici', '@dagrejs/dagre', 'yaml'];

/** The large packages among the loaded modules. Each takes more time than the rest of a small check. */
function findLarge(loaded: readonly string[]): readonly string[] {
  return large.filter((name) => loaded.some((line) => line.includes(`/node_modules/${name}/`)));
}

async function write(t: TestContext, content: string): Promise<string> {
  return join(await makeFolder(t, { spans: content }), 'spans');
}

const line = `${JSON.stringify(otlpRequest(otlpSpan()))}\n`;

test('spans that the scanner can read load no large package', async (t) => {
  const loaded = await listLoaded('file', await write(t, line.repeat(2)));
  assert.ok(loaded.some((each) => each.includes('scan-otlp-json')));
  assert.deepEqual(findLarge(loaded), []);
});

test('a line that the scanner cannot read loads the strict decoder', async (t) => {
  const refused = line.replace('"scopeSpans"', '"instrumentationLibrarySpans"');
  assert.deepEqual(findLarge(await listLoaded('file', await write(t, `${line}${refused}`))), ['zod']);
});

test('--version and --help load no command', async () => {
  for (const option of ['--version', '--help']) {
    const loaded = await listLoaded(option);
    assert.deepEqual(findLarge(loaded), []);
    assert.ok(!loaded.some((each) => /\/(decode\/scan|rules|verdict)/.test(each)), option);
  }
});
