import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { encodeOtlpLines } from '../../../src/span/encode-otlp-lines.ts';
import type { Span } from '../../../src/span/span.ts';
import { readDrawing } from '../../engine/read-drawing.ts';
import { makeFolder, runCli, spawnCli } from '../run-cli.ts';
import { startTraceStore } from '../trace-store.ts';
import { makeCall, makeSplitCall, withServer } from './make-calls.ts';
import { type Ended, noPseudoTerminal, openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';

const receiver = ['watch', '--source', 'otlp=127.0.0.1:0', '--settle', '200ms'];

/** Exports spans to the receiver whose address the screen shows, all at once, because each trace settles by itself. */
async function send(screen: string, spans: readonly Span[]): Promise<void> {
  const [, port] = /otlp=127\.0\.0\.1:(\d+)/.exec(screen) ?? [];
  const lines = encodeOtlpLines(spans).trim().split('\n');
  const body = JSON.stringify({ resourceSpans: lines.flatMap((line) => JSON.parse(line).resourceSpans) });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', headers, body });
  assert.equal(answer.status, 200);
}

/** Starts a watch that shows a broken edge and an intact one. */
async function watchBroken(
  t: TestContext,
  options: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<PseudoTerminal> {
  const terminal = await openPseudoTerminal(t, [...receiver, ...options], env);
  const screen = await terminal.waitFor(/watching otlp/);
  const now = Date.now();
  const healthy = withServer(makeCall('healthy', now - 5_000), 'payments');
  await send(screen, [...makeSplitCall('broken', now), ...healthy]);
  await terminal.waitFor(/^> ✗ web → orders +0 % +1 /m);
  return terminal;
}

function assertClean({ isAlternate, hasCursor, modes, screen }: Ended): void {
  assert.equal(isAlternate, false, 'the screen of before is back');
  assert.ok(hasCursor, 'the cursor is back');
  assert.match(modes, / icanon /);
  assert.match(modes, / echo /);
  assert.match(screen, /^before\n/);
  assert.doesNotMatch(screen, /watching/);
}

describe('watch at a terminal', { skip: noPseudoTerminal }, () => {
  it('shows edges, opens the newest broken trace and the page of its finding, and goes back', async (t) => {
    const terminal = await watchBroken(t);
    await terminal.waitFor(/^ {2}✓ web → payments +100 % +1 /m);
    await terminal.waitFor(/One request, two traces \(split-trace\)/);
    terminal.type('\r');
    const trace = await terminal.waitFor(/✂ the context is lost here/);
    assert.match(trace, /^ {2}orders SERVER GET \/work +\w{16} +█+/m);
    terminal.type('f');
    await terminal.waitFor(/^# split-trace/m);
    // Scrolls past frames whose last line is empty.
    terminal.type('\u001b[B'.repeat(15));
    await terminal.waitFor(/^explain split-trace\n *\nThe trace UI shows two traces/);
    terminal.type('\u001b');
    await terminal.waitFor(/^> ✗ web → orders/m);
    terminal.type('\u001b[B');
    await terminal.waitFor(/^> ✓ web → payments/m);
    terminal.type('\r');
    await terminal.waitFor(/└─ payments SERVER/);
    terminal.type('q');
    const ended = await terminal.ended;
    assert.equal(ended.code, 1, 'an edge was broken');
    assertClean(ended);
  });

  it('shows the whole link to Jaeger', async (t) => {
    const ui = 'http://127.0.0.1:16686/with/a/rather/long/path/of/a/proxy';
    const terminal = await watchBroken(t, ['--jaeger-ui', ui], {
      DISPLAY: undefined,
      WAYLAND_DISPLAY: undefined,
    });
    terminal.type('j');
    const id = createHash('sha256')
      .update(`broken ${'a'.repeat(32)}`)
      .digest('hex')
      .slice(0, 32);
    const link = `${ui}/trace/${id}`;
    // The terminal may break the link after any character.
    await terminal.waitFor(new RegExp([...link].map((one) => RegExp.escape(one)).join('\\n?')));
    terminal.type('q');
    await terminal.ended;
  });

  it('follows the size of the terminal', async (t) => {
    const terminal = await watchBroken(t);
    await terminal.resize(50, 12);
    // The width arrives before the height, and both are drawn.
    await terminal.waitFor(/^watching otlp.*\n> ✗ web → orders.*j Jaeger …\n*$/s);
    await terminal.resize(120, 30);
    await terminal.waitFor(/newest\n> ✗ web → orders .* split-trace, \d+ s ago/);
    terminal.type('q');
    assertClean(await terminal.ended);
  });

  for (const [name, end, code] of [
    ['Ctrl-C', async ({ type }: PseudoTerminal) => type('\u0003'), 130],
    ['SIGTERM', async ({ kill }: PseudoTerminal) => kill('SIGTERM'), 143],
  ] as const) {
    it(`restores the terminal: ${name}`, async (t) => {
      const terminal = await watchBroken(t);
      await end(terminal);
      const ended = await terminal.ended;
      assert.equal(ended.code, code);
      assertClean(ended);
    });
  }

  it('restores the terminal when it fails, and then prints the error', async (t) => {
    const fail = 'data:text/javascript,process.on(%22SIGUSR2%22,()=>{throw%20new%20Error(%22boom%22)})';
    const terminal = await watchBroken(t, [], { NODE_OPTIONS: `--import=${fail}` });
    await terminal.kill('SIGUSR2');
    const ended = await terminal.ended;
    assertClean(ended);
    assert.notEqual(ended.code, 0);
    assert.match(ended.screen, /boom/);
  });

  it('draws again after Ctrl-Z', async (t) => {
    const terminal = await watchBroken(t);
    terminal.type('\u001a');
    await terminal.waitFor(/before/);
    await terminal.kill('SIGCONT');
    await terminal.waitFor(/^> ✗ web → orders/m);
    terminal.type('q');
    assertClean(await terminal.ended);
  });

  it('writes lines to a terminal that cannot be drawn on', async (t) => {
    const terminal = await openPseudoTerminal(t, receiver, { TERM: 'dumb' });
    await send(await terminal.waitFor(/watching otlp/), makeSplitCall('broken', Date.now()));
    await terminal.waitFor(/^\d{4}-\S+Z ✗ web → orders/m);
    await terminal.kill('SIGTERM');
    assert.equal((await terminal.ended).code, 143);
  });

  it('draws in ASCII where the locale is not UTF-8', async (t) => {
    const terminal = await openPseudoTerminal(t, receiver, { LC_ALL: 'C' });
    const screen = await terminal.waitFor(/watching otlp/);
    await send(screen, makeSplitCall('broken', Date.now()));
    assert.match(await terminal.waitFor(/web > orders/), /^> x web > orders/m);
    terminal.type('q');
    await terminal.ended;
  });
});

describe('watch without a terminal', () => {
  it('writes a line for each change, until a signal ends it', async (t) => {
    const folder = await makeFolder(t);
    const path = join(folder, 'spans.jsonl');
    await writeFile(path, encodeOtlpLines(makeCall('one', Date.now() - 120_000)));
    const child = spawnCli(t, ['watch', path, '--settle', '200ms'], { LC_ALL: 'C.UTF-8' });
    const lines = readLines(child.stdout);
    assert.match(await readLines(child.stderr)(), /^propagation-check: watching \S+spans\.jsonl$/);
    assert.match(await lines(), /^\d{4}-\S+Z ✓ web → orders {2}seen, 1 call$/);
    await appendFile(path, encodeOtlpLines(makeSplitCall('two', Date.now() - 120_000)));
    assert.match(
      await lines(),
      / ✗ web → orders {2}split-trace {2}1 call broken, 1 of 2 so far {2}trace \w{32}$/,
    );
    // A source that is away is tried again, and no span is lost.
    await rename(path, `${path}.away`);
    assert.match(await lines(), / ! source away: .*no such file.*; tried again until it is back$/);
    await appendFile(`${path}.away`, encodeOtlpLines(makeSplitCall('three', Date.now() - 120_000)));
    await rename(`${path}.away`, path);
    assert.match(await lines(), / ✓ source back after \d+ s$/);
    assert.match(await lines(), / ✗ web → orders {2}split-trace {2}1 call broken, 2 of 3 so far /);
    await rm(path);
    assert.match(await lines(), / source away/);
    child.kill('SIGTERM');
    const [code] = await new Promise<[number | null]>((resolve) =>
      child.once('close', (code) => resolve([code])),
    );
    assert.equal(code, 143);
  });

  it('ends when its reader is gone', async (t) => {
    const path = join(await makeFolder(t), 'spans.jsonl');
    await writeFile(path, encodeOtlpLines(makeSplitCall('one', Date.now() - 120_000)));
    const child = spawnCli(t, ['watch', path, '--settle', '200ms']);
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    assert.equal(code, 1);
  });

  it('waits for a file that does not exist yet, and notes it', async (t) => {
    const path = join(await makeFolder(t), 'spans.jsonl');
    const child = spawnCli(t, ['watch', path, '--settle', '200ms'], { LC_ALL: 'C.UTF-8' });
    const lines = readLines(child.stdout);
    assert.match(
      await lines(),
      / ! source not there yet: \S+spans\.jsonl: no such file; tried again until it is there$/,
    );
    await writeFile(path, encodeOtlpLines(makeCall('one', Date.now() - 120_000)));
    assert.match(await lines(), / ✓ source there after \d+ s$/);
    assert.match(await lines(), / ✓ web → orders {2}seen, 1 call$/);
  });

  it('shows the spans of one file while another does not exist yet, and notes it', async (t) => {
    const folder = await makeFolder(t);
    const [there, missing] = [join(folder, 'there.jsonl'), join(folder, 'missing.jsonl')];
    await writeFile(there, encodeOtlpLines(makeCall('one', Date.now() - 120_000)));
    const child = spawnCli(t, ['watch', missing, there, '--settle', '200ms'], { LC_ALL: 'C.UTF-8' });
    const lines = readLines(child.stdout);
    assert.match(await lines(), / ! source not there yet: \S+missing\.jsonl: no such file; /);
    assert.match(await lines(), / ✓ web → orders {2}seen, 1 call$/);
    await writeFile(missing, encodeOtlpLines(makeSplitCall('two', Date.now() - 120_000)));
    assert.match(await lines(), / ✓ source there after \d+ s$/);
    assert.match(await lines(), / ✗ web → orders {2}split-trace {2}1 call broken, 1 of 2 so far /);
  });

  it('refuses a folder, and a pattern that the shell has not expanded', async (t) => {
    const folder = await makeFolder(t);
    for (const [path, says] of [
      [folder, /: a folder; name files in it\n$/],
      [join(folder, '*.jsonl'), /: no file matches; watch takes file names; let the shell /],
    ] as const) {
      const { code, stderr } = await runCli(t, ['watch', path]);
      assert.match(stderr, says);
      assert.equal(code, 2);
    }
  });

  it('reads new spans from Jaeger, and counts no call twice', async (t) => {
    const store = await startTraceStore(t);
    const now = Date.now() - 120_000;
    const add = (key: string, parentSpanId?: string) => {
      const traceId = createHash('sha256').update(key).digest('hex').slice(0, 32);
      const ids = { traceId, ...(parentSpanId === undefined ? {} : { parentSpanId }) };
      store.add(
        {
          traceId,
          spanId: 'a'.repeat(16),
          service: 'web',
          kind: 'CLIENT',
          name: 'GET',
          start: now,
          end: now + 50,
        },
        {
          ...ids,
          spanId: 'b'.repeat(16),
          parentSpanId: 'a'.repeat(16),
          service: 'orders',
          kind: 'SERVER',
          name: 'GET /work',
          start: now + 10,
          end: now + 40,
        },
      );
    };
    add('one');
    const child = spawnCli(t, ['watch', '--source', store.source, '--since', '10m', '--settle', '200ms'], {
      LC_ALL: 'C.UTF-8',
    });
    const lines = readLines(child.stdout);
    assert.match(await lines(), / ✓ web → orders {2}seen, 1 call$/);
    const asked = store.asked.length;
    while (store.asked.length < asked + 6) await new Promise(setImmediate);
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
    assert.equal(child.exitCode, 130);
  });
});

describe('watch --once', () => {
  it('prints a single look and has the usual exit codes', async (t) => {
    const at = Date.now() - 120_000;
    const folder = await makeFolder(t, {
      'intact.jsonl': encodeOtlpLines(makeCall('one', at)),
      'broken.jsonl': encodeOtlpLines(makeSplitCall('two', at)),
      'single.jsonl': encodeOtlpLines(makeCall('three', at).slice(0, 1)),
    });
    const run = async (name: string) => {
      const { code, stdout, stderr } = await runCli(t, ['watch', join(folder, name), '--once'], {
        env: { LC_ALL: 'C.UTF-8' },
      });
      assert.equal(stderr === '', code !== 2);
      return [code, stdout, stderr] as const;
    };
    const [intact, broken, single] = [
      await run('intact.jsonl'),
      await run('broken.jsonl'),
      await run('single.jsonl'),
    ];
    assert.deepEqual([intact[0], broken[0], single[0]], [0, 1, 2]);
    assert.match(intact[1], /^ {2}✓ web → orders +100 % +1$/m);
    assert.match(broken[1], /^ {2}✗ web → orders +0 % +1 /m);
    assert.match(
      broken[1],
      /^✗ web → orders: One request, two traces \(split-trace\): 1 call with it, 1 of 1 broken; trace\s+[0-9a-f]{32}$/m,
    );
    assert.match(single[1], /^no call between two services was judged yet$/m);
    assert.match(
      single[2],
      /^propagation-check: cannot tell: no call between two services was seen, only spans of web /,
    );
  });

  it('says why nothing is judged, has the notes of a check, and the period of the spans instead of a rate', async (t) => {
    const at = Date.UTC(2026, 0, 2, 3, 4, 5);
    const folder = await makeFolder(t, {
      'empty.json': '{}',
      'old.jsonl': encodeOtlpLines([...makeCall('one', at), ...makeCall('two', at + 60_000).slice(2)]),
    });
    const run = (...args: readonly string[]) =>
      runCli(t, ['watch', ...args, '--once'], { env: { LC_ALL: 'C.UTF-8' } });
    const empty = await run(join(folder, 'empty.json'));
    assert.equal(empty.code, 2);
    assert.match(
      empty.stderr,
      /^propagation-check: cannot tell: \S+empty\.json: no span in it; give a file with /,
    );
    const old = join(folder, 'old.jsonl');
    const misspelt = await run(old, '--expect', 'web -> ordres');
    assert.equal(misspelt.code, 2);
    assert.match(misspelt.stderr, /^propagation-check: cannot tell: web -> ordres: .*did you mean orders/);
    const { stdout } = await run('--source', `file=${old}`, '--expect', 'orders -> web');
    assert.match(stdout, /did\s+you\s+mean\s+web -> orders\?/);
    assert.match(stdout, /spans\s+from\s+2026-01-02\s+03:04:05\s+to\s+2026-01-02\s+03:05:05\s+UTC\n/);
    assert.doesNotMatch(stdout, /per min|last 2 min| ago/);
  });

  it('an edge is not intact where half of its calls or fewer are judged', async (t) => {
    const drawMessage = (at: number, isLinked: boolean): string => `
trace ${at}1
  web     PRODUCER "send orders" ${at}000..${at}005 messaging.system=kafka messaging.destination.name=orders id:sent${at}
trace ${at}2
  billing CONSUMER "${isLinked ? 'process' : 'receive'} orders" ${at}020..${at}040 messaging.system=kafka messaging.destination.name=orders ${isLinked ? `link:sent${at}` : ''}
`;
    const run = async (linked: number) => {
      const drawing = Array.from({ length: 20 }, (_, at) => drawMessage(at + 1, at < linked)).join('');
      const spans = encodeOtlpLines(readDrawing(drawing).spans);
      const folder = await makeFolder(t, { 'spans.jsonl': spans });
      return runCli(t, ['watch', join(folder, 'spans.jsonl'), '--once'], { env: { LC_ALL: 'C.UTF-8' } });
    };
    const half = await run(10);
    assert.equal(half.code, 2);
    assert.match(half.stdout, /^ {2}! web → billing +unknown +10 of 20 +10$/m);
    assert.match(half.stdout, /^note {2}not judged: web -> billing: 10 of 20 messages judged: /m);
    const most = await run(11);
    assert.equal(most.code, 0);
    assert.match(most.stdout, /^ {2}✓ web → billing +100 % +9 of 20 +11$/m);
  });

  it('waits at a receiver until spans arrive and traces are quiet', async (t) => {
    const child = spawnCli(t, [...receiver, '--once', '--wait', '30s'], { LC_ALL: 'C.UTF-8' });
    const said = readLines(child.stderr);
    await send(await said(), makeSplitCall('one', Date.now()));
    const lines = readLines(child.stdout);
    let line = await lines();
    while (!line.includes('→')) line = await lines();
    assert.match(line, /✗ web → orders +0 %/);
    await new Promise((resolve) => child.once('close', resolve));
    assert.equal(child.exitCode, 1);
  });
});

/** Each call returns the next line. */
function readLines(stream: NodeJS.ReadableStream): () => Promise<string> {
  const lines: string[] = [];
  let rest = '';
  let onLine = () => {};
  stream.on('data', (data) => {
    const parts = (rest + String(data)).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    onLine();
  });
  return async () => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        onLine = resolve;
      });
    }
  };
}
