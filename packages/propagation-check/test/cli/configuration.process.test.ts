import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';
import { brokenCapture, healthyCapture, readCapture } from './captures.ts';
import { type CliResult, makeFolder, runCli, spawnCli } from './run-cli.ts';

const name = 'propagation-check.yaml';

/** A repository with captures, a configuration, and a folder in which commands run. */
async function makeRepository(t: TestContext, configuration: string | null): Promise<string> {
  const root = await makeFolder(t, {
    'broken.jsonl': readCapture(brokenCapture),
    'healthy.jsonl': readCapture(healthyCapture),
    ...(configuration === null ? {} : { [name]: configuration }),
  });
  await mkdir(join(root, '.git'));
  await mkdir(join(root, 'web'));
  return root;
}

function assertRefused({ code, stdout, stderr }: CliResult, message: RegExp): void {
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, message);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
}

suite('the configuration file', () => {
  test('applies below its folder, and its paths are relative to it', async (t) => {
    const root = await makeRepository(t, 'reports:\n  junit: out.xml\n  json: true\n');
    const { code, stdout } = await runCli(t, ['file', '../broken.jsonl'], { cwd: join(root, 'web') });
    assert.equal(code, 1);
    assert.match(stdout, /^\{\n {2}"version": 1/);
    assert.match(await readFile(join(root, 'out.xml'), 'utf8'), /failures="1"/);
    assert.deepEqual(await readdir(join(root, 'web')), []);
  });

  test('is overridden by the command line and by --no-config', async (t) => {
    const root = await makeRepository(
      t,
      'reports: { json: true }\nexpectations: { edges: { must: [a -> b -> c] } }\n',
    );
    const run = (...args: readonly string[]) => runCli(t, ['file', 'healthy.jsonl', ...args], { cwd: root });
    assert.equal((await run()).code, 1);
    const expectations = join(root, 'expectations.yaml');
    await writeFile(expectations, 'edges: { must: [a -> b] }\n');
    assert.equal((await run('--expectations', expectations)).code, 0);
    const shown = await run('--expectations', expectations, '--json', '--show-config');
    assert.doesNotMatch(shown.stdout, /propagation-check\.yaml:/);
    assert.match((await run('--report', 'markdown')).stdout, /^## Trace context propagation: BROKEN/);
    const { code, stdout } = await run('--no-config');
    assert.equal(code, 0);
    assert.match(stdout, /^INTACT/);
  });

  test('reports all faults of shape and values in one line', async (t) => {
    const root = await makeRepository(
      t,
      'failOn: warning\nwait: soon\nreports:\n  html: nowhere/out.html\nrun:\n  requests: many\n  url: ftp://x\n',
    );
    const refused = await runCli(t, ['file', 'healthy.jsonl'], { cwd: root });
    assertRefused(
      refused,
      /^propagation-check: propagation-check\.yaml:1:1: unknown key "failOn"; .* did you mean fail-on\?; 2:7: wait: expected a time with its unit, .*; 3:1: reports: html=nowhere\/out\.html: the folder .*nowhere does not exist; create it first; 6:13: run\.requests: expected a whole number; 7:8: run\.url: expected an http:\/\/ or https:\/\/ URL\n$/,
    );
  });

  test('watch --once names settings that it does not use, and --show-config does so for each watch', async (t) => {
    const root = await makeRepository(t, 'wait: 5s\nfail-on: warning\nbaseline: known.yaml\n');
    const run = (...args: readonly string[]) => runCli(t, args, { cwd: join(root, 'web') });
    const watched = await run('watch', '--once', '../healthy.jsonl');
    assert.equal(watched.code, 0);
    assert.equal(
      watched.stderr,
      'propagation-check: ../propagation-check.yaml: watch does not use fail-on, baseline\n',
    );
    const shown = await run('watch', '../healthy.jsonl', '--show-config');
    assert.equal(shown.stderr, '');
    assert.match(shown.stdout, /^fail-on +warning +\.\.\/propagation-check\.yaml:2, not used by watch$/m);
    assert.match(shown.stdout, /^wait +5s +\.\.\/propagation-check\.yaml:1$/m);
    const live = spawnCli(t, ['watch', '../healthy.jsonl'], {}, join(root, 'web'));
    const [said] = await once(live.stderr, 'data');
    assert.equal(String(said), 'propagation-check: watching ../healthy.jsonl\n');
    const open = await run('watch', '--once', '../healthy.jsonl', '--no-config', '--expect', 'a -> nope');
    assert.equal(open.code, 2, 'an edge that is expected and open is no success');
    assert.match(open.stdout, /note {2}not judged: a -> nope: no span of nope is here/);
    await writeFile(join(root, name), 'wait: 5s\nallow-failed-requests: true\n');
    assert.equal((await run('watch', '--once', '../healthy.jsonl')).stderr, '');
  });

  test('cannot be read', async (t) => {
    const root = await makeRepository(t, null);
    const run = (...args: readonly string[]) => runCli(t, ['file', 'healthy.jsonl', ...args], { cwd: root });
    assertRefused(await run('--config', 'absent.yaml'), /--config absent\.yaml: no such file$/m);
    assertRefused(await run('--config', 'web'), /--config web: a folder; name a file in it$/m);
    await writeFile(join(root, name), '');
    assertRefused(await run(), /propagation-check\.yaml:1:1: empty; expected source, /);
    await writeFile(join(root, name), Uint8Array.of(0xff, 0xfe, 0x61, 0));
    assertRefused(await run(), /propagation-check\.yaml:1:1: no text in UTF-8; /);
    await writeFile(join(root, name), 'reports: { json: true, markdown: true }');
    assertRefused(
      await run(),
      /yaml:1:1: reports: json and --report markdown would both be printed; write one /,
    );
    await writeFile(join(root, name), 'reports: { html: propagation-check.yaml }');
    assertRefused(await run(), /--report html: propagation-check\.yaml has another use in this command/);
    assert.equal(await readFile(join(root, name), 'utf8'), 'reports: { html: propagation-check.yaml }');
  });

  test('--show-config prints it with the command line and the defaults, without secrets', async (t) => {
    const root = await makeRepository(
      t,
      'source: tempo=http://localhost:3200\nwait: 20s\nrun:\n  url: http://localhost:1/a\n  request-header:\n    - "authorization: one"\n',
    );
    const run = (...args: readonly string[]) => runCli(t, args, { cwd: root });
    const shown = await run('run', '--show-config', '--wait', '5s', '--header', 'Authorization: two');
    assert.deepEqual([shown.code, shown.stderr], [0, '']);
    assert.match(shown.stdout, /^settings of propagation-check\.yaml\n/);
    assert.match(shown.stdout, /^source +tempo=http:\/\/localhost:3200 +propagation-check\.yaml:1$/m);
    assert.match(shown.stdout, /^wait +5s +command line$/m);
    assert.match(shown.stdout, /^settle +6s +default$/m);
    assert.match(shown.stdout, /^run\.request-header +authorization:… +propagation-check\.yaml:5$/m);
    assert.match(shown.stdout, /^header +Authorization:… +command line$/m);
    assert.doesNotMatch(shown.stdout, /one|two|20s/);
    // `exec` has its own receiver, whatever source the file names.
    const exec = await run('exec', '--show-config', '--', 'true');
    assert.match(exec.stdout, /^source +otlp=127\.0\.0\.1:0 +default$/m);
    assert.match((await run('watch', '--show-config')).stdout, /^source +tempo=http/m);
    assert.doesNotMatch((await run('watch', 'healthy.jsonl', '--show-config')).stdout, /^source/m);
    const without = await run('trace', '--show-config', '--no-config');
    assert.match(without.stdout, /^no propagation-check\.yaml\n/);
  });

  test('names URLs that run requests one after the other', async (t) => {
    const requested: string[] = [];
    const server = createServer(({ url, method, headers }, response) => {
      requested.push(`${method} ${url} ${headers['x-tenant']}`);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = addressOf(server.address());
    const root = await makeRepository(
      t,
      `source: otlp=127.0.0.1:0\nwait: 1s\nsettle: 100ms\nrun:\n  url: [http://127.0.0.1:${port}/a, http://127.0.0.1:${port}/b]\n  requests: 2\n  concurrency: 1\n  request-header: "x-tenant: acme"\n`,
    );
    const { code, stdout, stderr } = await runCli(t, ['run'], { cwd: root });
    assert.deepEqual([code, stderr], [2, '']);
    assert.match(stdout, /^CANNOT TELL {2}4 requests were answered and no span of them arrived/);
    assert.deepEqual(requested, ['GET /a acme', 'GET /a acme', 'GET /b acme', 'GET /b acme']);
    assertRefused(
      await runCli(t, ['run', '--no-config', '--source', 'otlp=127.0.0.1:0'], { cwd: root }),
      /missing required argument 'url'/,
    );
    assertRefused(
      await runCli(t, ['run', '--no-config', 'http://127.0.0.1:1'], { cwd: root }),
      /required option '--source <source>' not specified, and no source in propagation-check\.yaml/,
    );
  });
});

function addressOf(address: AddressInfo | string | null): AddressInfo {
  assert.ok(typeof address === 'object' && address !== null);
  return address;
}

suite('--baseline', () => {
  test('accepts the findings that an update has written, and reports fixed ones', async (t) => {
    const root = await makeRepository(t, 'baseline: known.yaml\n');
    const run = (...args: readonly string[]) => runCli(t, ['file', ...args], { cwd: root });
    assertRefused(
      await run('broken.jsonl', '--report', 'junit=out.xml'),
      /--baseline known\.yaml: no such file; --update-baseline writes it$/m,
    );
    assert.match(
      await readFile(join(root, 'out.xml'), 'utf8'),
      /errors="1".*\n.*\n.*known\.yaml: no such file/,
    );

    const updated = await run('broken.jsonl', '--update-baseline');
    assert.equal(updated.code, 0);
    assert.match(updated.stdout, /^note {2}known\.yaml is written: 1 known, of these 1 new; 0 removed$/m);
    const text = await readFile(join(root, 'known.yaml'), 'utf8');
    assert.match(
      text,
      /\nknown:\n {2}- client: a\n {4}server: b\n {4}protocol: http\n {4}finding: split-trace\n {4}cause: \S+\n$/,
    );
    assert.deepEqual(
      (await readdir(root)).filter((file) => file.includes('tmp')),
      [],
    );

    const accepted = await run('broken.jsonl');
    assert.equal(accepted.code, 0);
    assert.match(accepted.stdout, /^INTACT {2}except what is known: 1 of 1 edge, 6 of 6 calls/);

    await writeFile(join(root, 'repaired.jsonl'), readCapture('go-keepalive'));
    const fixed = await run('repaired.jsonl');
    assert.equal(fixed.code, 0);
    assert.match(
      fixed.stdout,
      /^note {2}fixed: split-trace of a -> b no longer occurs; remove it from known\.yaml/m,
    );
    await run('repaired.jsonl', '--update-baseline');
    assert.equal((await run('broken.jsonl')).code, 1);
  });

  test('is not written where an expected service is misspelt', async (t) => {
    const root = await makeRepository(t, null);
    const args = [
      'file',
      'broken.jsonl',
      '--expect',
      'A -> b',
      '--baseline',
      'known.yaml',
      '--update-baseline',
    ];
    const { code, stderr } = await runCli(t, args, { cwd: root });
    assert.equal(code, 2);
    assert.match(stderr, /no span, did you mean a instead of A\? known\.yaml stays as it is$/m);
    assert.ok(!(await readdir(root)).includes('known.yaml'));
  });

  test('fails on new findings', async (t) => {
    const root = await makeRepository(t, null);
    const known = 'known: [{ client: a, server: b, finding: baggage-lost }]\n';
    await writeFile(join(root, 'known.yaml'), known);
    const { code, stdout } = await runCli(t, ['file', 'broken.jsonl', '--baseline', 'known.yaml'], {
      cwd: root,
    });
    assert.equal(code, 1);
    assert.match(stdout, /^BROKEN {2}1 of 1 edge/);
    assert.equal(await readFile(join(root, 'known.yaml'), 'utf8'), known);
  });

  test('reports all of its faults, and is not overwritten then', async (t) => {
    const root = await makeRepository(t, null);
    const text =
      'known:\n  - { client: a, server: b, finding: split }\n  - { clent: a, server: b, finding: split-trace }\n';
    await writeFile(join(root, 'known.yaml'), text);
    for (const more of [[], ['--update-baseline']]) {
      const refused = await runCli(t, ['file', 'broken.jsonl', '--baseline', 'known.yaml', ...more], {
        cwd: root,
      });
      assertRefused(
        refused,
        /--baseline known\.yaml:2:38: known\.0\.finding: .*; 3:5: known\.1\.client: .*; 3:7: known\.1: unknown key "clent"; /,
      );
    }
    assert.equal(await readFile(join(root, 'known.yaml'), 'utf8'), text);
  });

  test('is not updated without a verdict, without a name, or where it cannot be written', async (t) => {
    const root = await makeRepository(t, null);
    const [first = ''] = readCapture(healthyCapture).toString().split('\n');
    const { resourceSpans }: { readonly resourceSpans: readonly unknown[] } = JSON.parse(first);
    await writeFile(join(root, 'one.json'), JSON.stringify({ resourceSpans: resourceSpans.slice(0, 1) }));
    const run = (...args: readonly string[]) => runCli(t, ['file', ...args], { cwd: root });
    const { code, stdout, stderr } = await run('one.json', '--baseline', 'known.yaml', '--update-baseline');
    assert.equal(code, 2);
    assert.match(stdout, /^CANNOT TELL/);
    assert.match(
      stderr,
      /^propagation-check: --update-baseline: there is no verdict, so that known\.yaml stays as it is\n$/,
    );
    assert.ok(!(await readdir(root)).includes('known.yaml'));
    assertRefused(
      await run('broken.jsonl', '--update-baseline'),
      /--update-baseline: name the file that it writes/,
    );
    assertRefused(
      await run('broken.jsonl', '--update-baseline', '--baseline', 'nowhere/known.yaml'),
      /--baseline nowhere\/known\.yaml: the folder nowhere does not exist/,
    );
    assertRefused(
      await run('broken.jsonl', '--baseline', 'web'),
      /--baseline web: a folder; name a file in it/,
    );
  });

  test('keeps a symbolic link and replaces its target', async (t) => {
    const root = await makeRepository(t, null);
    await writeFile(join(root, 'web/known.yaml'), 'known: []\n');
    await symlink('web/known.yaml', join(root, 'known.yaml'));
    const args = ['file', 'broken.jsonl', '--baseline', 'known.yaml', '--update-baseline'];
    assert.equal((await runCli(t, args, { cwd: root })).code, 0);
    assert.match(await readFile(join(root, 'web/known.yaml'), 'utf8'), /finding: split-trace/);
  });

  test('applies to exec too', async (t) => {
    const root = await makeRepository(t, 'baseline: known.yaml\nwait: 2s\nsettle: 200ms\n');
    const send = `
      const { readFileSync } = require('node:fs');
      const url = process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/traces';
      const headers = { 'content-type': 'application/json' };
      (async () => {
        for (const body of readFileSync('broken.jsonl', 'utf8').trim().split('\\n'))
          await fetch(url, { method: 'POST', headers, body });
      })();`;
    const run = (...args: readonly string[]) =>
      runCli(t, ['exec', ...args, '--', process.execPath, '-e', send], { cwd: root });
    const updated = await run('--update-baseline');
    assert.equal(updated.code, 0, updated.stderr);
    const accepted = await run();
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.match(accepted.stderr, /^INTACT {2}except what is known/);
    assert.equal((await run('--no-config', '--settle', '200ms')).code, 1);
  });
});

test('the verdict is unknown where every peer is tolerated', async (t) => {
  const root = await makeRepository(t, 'tolerated-peers: [b]\n');
  const { code, stdout } = await runCli(t, ['file', 'broken.jsonl'], { cwd: root });
  assert.equal(code, 2);
  assert.match(
    stdout,
    /^CANNOT TELL {2}no call between two services was seen but those of tolerated peers, only /,
  );
  assert.match(stdout, /^~ a → b {2}http {2}broken 6 of 6, tolerated$/m);
});

test('--fail-on warning gives exit code 1 for a warning', async (t) => {
  const { spans } = readFixtureDrawing('span-lost-in-service/shown.txt');
  const root = await makeFolder(t, { 'warned.jsonl': encodeOtlpLines(spans) });
  const run = (...args: readonly string[]) => runCli(t, ['file', 'warned.jsonl', ...args], { cwd: root });
  assert.equal((await run()).code, 0);
  const { code, stdout } = await run('--fail-on', 'warning');
  assert.equal(code, 1);
  assert.match(stdout, /^FAILED .*, 1 warning \(.*\); warnings fail \(--fail-on warning\)$/m);
  assertRefused(await run('--fail-on', 'info'), /--fail-on "info": expected one of error, warning$/m);
});
