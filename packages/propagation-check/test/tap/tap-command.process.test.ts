import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../cli/run-cli.ts';
import { openSocket, readUntil, startTarget, traceparent } from './support.ts';

const entry = fileURLToPath(new URL('tap-process.ts', import.meta.url));

function spawnTap(t: TestContext, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [entry, 'tap', ...args]);
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function runToEnd(t: TestContext, ...args: readonly string[]) {
  const child = spawnTap(t, ...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code };
}

/** Reads standard error until it contains this text. */
async function readUntilLine(child: ChildProcessWithoutNullStreams, end: string): Promise<string> {
  let stderr = '';
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    stderr += chunk;
    if (stderr.includes(end)) return stderr;
  }
  throw new Error(`the tap ended: ${stderr}`);
}

async function readListeningUrl(child: ChildProcessWithoutNullStreams): Promise<string> {
  const stderr = await readUntilLine(child, 'target http');
  const url = /listening on (http:\S+),/.exec(stderr)?.[1];
  assert.ok(url, stderr);
  return url;
}

test('records go to standard output; SIGINT ends with 0 and no record is lost', async (t) => {
  const target = await startTarget(t);
  const child = spawnTap(
    t,
    '--listen',
    '0',
    '--target',
    target.url,
    '--client',
    'a',
    '--server',
    'b',
    '--fault',
    'strip',
    '--fault',
    'delay=1',
  );
  const stdout = text(child.stdout);
  const url = await readListeningUrl(child);
  for (let index = 0; index < 20; index += 1)
    await (await fetch(`${url}/${index}`, { headers: { traceparent } })).text();
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [0, null]);
  const records = (await stdout)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ path, client, server, faults }) => [path, client, server, faults]),
    Array.from({ length: 20 }, (_, index) => [`/${index}`, 'a', 'b', ['strip', 'delay=1']]),
  );
});

test('values of baggage and tracestate are not written, except for keys that are shown', async (t) => {
  const target = await startTarget(t);
  const child = spawnTap(t, '--listen', '0', '--target', target.url, '--show', 'tenant');
  const stdout = text(child.stdout);
  const headers = {
    traceparent,
    tracestate: 'rojo=canary',
    baggage: 'tenant=acme,user=canary',
    authorization: 'Bearer canary',
    cookie: 'session=canary',
  };
  await (await fetch(`${await readListeningUrl(child)}/work?token=canary`, { headers })).text();
  child.kill('SIGTERM');
  await once(child, 'close');
  const written = await stdout;
  assert.doesNotMatch(written, /canary/);
  assert.match(written, /tenant=acme,user=REDACTED/);
});

test('SIGTERM waits for a request in flight, and its record is written', async (t) => {
  const arrived = Promise.withResolvers<() => void>();
  const target = await startTarget(t, (_request, response) => arrived.resolve(() => response.end('whole')));
  const child = spawnTap(t, '--listen', '0', '--target', target.url);
  const stdout = text(child.stdout);
  const url = await readListeningUrl(child);
  const answer = fetch(url);
  const end = await arrived.promise;
  child.kill('SIGTERM');
  await readUntilLine(
    child,
    'closing when the requests in flight have ended; a second signal (Ctrl-C) ends it at once',
  );
  end();
  assert.equal(await (await answer).text(), 'whole');
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(JSON.parse(await stdout).status, 200);
});

test('--out appends to a file that others cannot read', async (t) => {
  const folder = await makeFolder(t);
  const path = join(folder, 'wire.jsonl');
  const target = await startTarget(t);
  for (const name of ['one', 'two']) {
    const child = spawnTap(t, '--listen', '0', '--target', target.url, '--out', path, '--name', name);
    const stdout = text(child.stdout);
    await (await fetch(await readListeningUrl(child))).text();
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.equal(await stdout, '');
  }
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).tap),
    ['one', 'two'],
  );
  assert.equal((await stat(path)).mode & 0o077, 0);
});

test('hostile header values stay in their line', async (t) => {
  const target = await startTarget(t);
  const child = spawnTap(t, '--listen', '0', '--target', target.url);
  const stdout = text(child.stdout);
  const { port } = new URL(await readListeningUrl(child));
  const hostile = '"}\t\\u0000\x85\x9b31m<script>::error::\xff';
  const socket = await openSocket(
    t,
    Number(port),
    `GET / HTTP/1.1\r\nHost: b\r\ntraceparent: ${hostile}\r\n\r\n`,
  );
  await readUntil(socket, '\r\n\r\n');
  socket.destroy();
  child.kill('SIGTERM');
  await once(child, 'close');
  const output = await stdout;
  assert.equal(output.split('\n').length, 2);
  assert.equal(JSON.parse(output).sent.headers[0].value, hostile);
  assert.doesNotMatch(output.trimEnd(), /[\p{Cc}\u2028\u2029]/u);
});

test('after --timeout the tap answers in place of the target', async (t) => {
  const target = await startTarget(t, () => {});
  const child = spawnTap(t, '--listen', '0', '--target', target.url, '--timeout', '50ms');
  child.stdout.resume();
  assert.equal((await fetch(await readListeningUrl(child))).status, 504);
});

test('traffic continues when the reader of records is gone, and the exit code reports lost records', async (t) => {
  const target = await startTarget(t);
  const child = spawnTap(t, '--listen', '0', '--target', target.url);
  child.stdout.destroy();
  const url = await readListeningUrl(child);
  assert.equal((await fetch(url)).status, 200);
  assert.match(
    await readUntilLine(child, '\n'),
    /^propagation-check tap: records cannot be written to standard output: .*EPIPE.*; the traffic goes on without\n$/,
    'said when the first one is lost',
  );
  const stderr = text(child.stderr);
  for (let index = 0; index < 4; index += 1) assert.equal((await fetch(url)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'close'), [2, null]);
  assert.match(
    await stderr,
    /^propagation-check tap: closing .*\npropagation-check tap: 5 records could not be written to standard output: .*EPIPE.*\n$/,
  );
});

test('invalid options give one clear line and exit code 2', async (t) => {
  const target = await startTarget(t);
  const { port } = new URL(target.url);
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'file'), '');
  const good = ['--listen', '0', '--target', target.url];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--target', target.url], /--listen is missing/],
    [['--listen', '0'], /--target is missing/],
    [['--listen', 'x', '--target', target.url], /--listen "x": write a port, or HOST:PORT/],
    [['--listen', port, '--target', 'http://127.0.0.1:1'], /--listen \d+: the port is in use/],
    [['--listen', '192.0.2.1:0', '--target', target.url], /does not have that address/],
    [['--listen', '0', '--target', 'b:8082'], /--target "b:8082"/],
    [[...good, '--fault', 'nope'], /--fault "nope": no such fault; use one of strip/],
    [[...good, '--fault-rate', '0.5'], /--fault-rate works with --fault only$/m],
    [[...good, '--fault-seed', '1'], /--fault-seed works with --fault only$/m],
    [[...good, '--fault', 'strip', '--fault-rate', 'often'], /--fault-rate "often": not a number/],
    [[...good, '--fault', 'strip', '--fault-seed', '1.5'], /--fault-seed 1.5: write a whole number/],
    [[...good, '--timeout', '60'], /--timeout "60": write a time with its unit, for instance 500ms, 15s/],
    [[...good, '--timeout', '30d'], /--timeout "30d": .*24d at most; 0: for ever/],
    [
      [...good, '--out', join(folder, 'file', 'x')],
      /--out .*a part of the path is not a folder; give a file/,
    ],
    [[...good, '--out', folder], /--out .*: a folder; name a file in it$/m],
  ];
  for (const [args, message] of cases) {
    const { stdout, stderr, code } = await runToEnd(t, ...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
});

test('--help shows examples', async (t) => {
  const { stdout, code } = await runToEnd(t, '--help');
  assert.equal(code, 0);
  assert.match(stdout, /exit code 0 when all records are written\. Exit code\n2: it could not start/);
  assert.match(stdout, /propagation-check tap --listen 8083 --target http:\/\/service-b:8082/);
  assert.deepEqual(stdout.match(/\(default: [^)a-z]*s?\)/g), [
    '(default: 1)',
    '(default: 1)',
    '(default: 60s)',
    '(default: 65536)',
  ]);
  assert.doesNotMatch(stdout, /default: (?:\[|")/);
});
