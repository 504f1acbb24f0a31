import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { makeFolder, runCli, spawnCli } from '../cli/run-cli.ts';
import { encodeSpan, startTraceStore } from '../cli/trace-store.ts';
import { answer, startHttpServer } from '../source/http-server.ts';
import { makeTraffic } from './make-traffic.ts';

const minute = 60_000;
const often = ['--every', '50ms', '--since', '10m', '--settle', '1ms'];

/** Waits until the output matches. @returns All output so far. */
async function readUntil(child: ChildProcessWithoutNullStreams, stream: 'stdout' | 'stderr', says: RegExp) {
  let read = '';
  for await (const chunk of child[stream].iterator({ destroyOnReturn: false })) {
    read += String(chunk);
    if (says.test(read)) return read;
  }
  throw new Error(`ended without ${says}: ${read}`);
}

test('--every: a report, a line for each turn without a change, a report of a change; Ctrl-C ends it', async (t) => {
  const store = await startTraceStore(t);
  store.add(...makeTraffic({ from: Date.now() - 5 * minute, calls: 20 }));
  const child = spawnCli(t, ['audit', '--source', store.source, ...often]);
  const first = await readUntil(child, 'stdout', /unchanged.*\n.*unchanged.*\n/);
  assert.match(first, /^INTACT {2}0 of 1 edge broken/);
  assert.match(first, /^\S+ \S+ {2}INTACT, unchanged: 1 edge, 20 calls, lowest web → orders 100 %$/m);
  assert.equal(first.match(/95 % interval/g)?.length, 1);
  store.add(...makeTraffic({ from: Date.now() - 4 * minute, calls: 20, brokenEvery: 4 }));
  const second = await readUntil(child, 'stdout', /unchanged/);
  assert.match(second, /BROKEN {2}1 of 1 edge broken[\s\S]*split-trace 5 \(.*new\)/);
  child.kill('SIGINT');
  const [[code, signal], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
  assert.deepEqual([code, signal, stderr], [1, null, '']);
});

test('--every: Ctrl-C during the first turn gives no verdict', async (t) => {
  const store = await startTraceStore(t, () => new Promise(() => {}));
  const child = spawnCli(t, ['audit', '--source', store.source, ...often]);
  while (store.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGINT');
  const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
  assert.equal(code, 130);
  assert.equal(stderr, 'propagation-check: interrupted, no verdict\n');
});

test('--every: a source that fails in one turn is reported, and asked again in the next', async (t) => {
  const folder = await makeFolder(t);
  const report = join(folder, 'audit.json');
  let isAway = true;
  const store = await startTraceStore(t);
  store.add(...makeTraffic({ from: Date.now() - 5 * minute, calls: 3 }));
  const { origin } = await startHttpServer(t, async (request, response) => {
    if (isAway) return answer(response, 500, 'away');
    const stored = await fetch(new URL(request.url ?? '', store.url));
    answer(response, stored.status, await stored.json());
  });
  const child = spawnCli(t, [
    'audit',
    '--source',
    `jaeger=${origin}`,
    ...often,
    '--report',
    `json=${report}`,
  ]);
  const said = await readUntil(child, 'stderr', /next try[\s\S]*next try/);
  assert.match(said, /^propagation-check: jaeger=\S+: .*\(next try at \S+ \S+ UTC\)$/m);
  assert.equal(JSON.parse(await readFile(report, 'utf8')).outcome, 'unknown');
  isAway = false;
  const printed = await readUntil(child, 'stdout', /INTACT/);
  assert.match(printed, /^INTACT {2}0 of 1 edge broken; 0 of 3 calls broken/);
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.equal(JSON.parse(await readFile(report, 'utf8')).outcome, 'passed');
});

test('--every: JSON has one line for each turn; it ends when its reader is gone', async (t) => {
  const store = await startTraceStore(t);
  store.add(...makeTraffic({ from: Date.now() - 5 * minute, calls: 3 }));
  const child = spawnCli(t, ['audit', '--source', store.source, ...often, '--json']);
  const printed = await readUntil(child, 'stdout', /\n.*\n/);
  for (const line of printed.trimEnd().split('\n')) assert.equal(JSON.parse(line).edges[0].calls, 3);
  child.stdout.destroy();
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [0, null]);
});

test('standard input is read once for both windows', async (t) => {
  const spans = makeTraffic({ from: Date.now() - 5 * minute, calls: 30 });
  const input = `${JSON.stringify({ resourceSpans: spans.map(encodeSpan) })}\n`;
  const { code, stdout, stderr } = await runCli(t, ['audit', '-', '--since', '10s', '--json'], { input });
  assert.equal(code, 0, stderr);
  const { edges, before, source } = JSON.parse(stdout);
  assert.deepEqual([source, edges[0].calls, before.traces], ['standard input', 10, 10]);
});

test('a closed pipe is not an error', async (t) => {
  const spans = makeTraffic({ from: Date.now() - 5 * minute, calls: 3 });
  const folder = await makeFolder(t, {
    'spans.json': `${JSON.stringify({ resourceSpans: spans.map(encodeSpan) })}\n`,
  });
  const child = spawnCli(t, ['audit', join(folder, 'spans.json')]);
  child.stdout.destroy();
  const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
  assert.deepEqual([code, stderr], [0, '']);
});
