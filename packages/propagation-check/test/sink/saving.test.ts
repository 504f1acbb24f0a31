import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CountersFile } from '../../src/sink/counters-file.ts';
import { CountersSaver } from '../../src/sink/counters-saver.ts';
import { SinkBooks } from '../../src/sink/sink-books.ts';
import { startSink } from '../../src/sink/start-sink.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { makeFolder } from '../cli/run-cli.ts';
import { callOrders } from './make-judge.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

/** Starts a sink whose snapshot folder a test can remove. */
async function start(t: TestContext) {
  const folder = await makeFolder(t);
  const [here, away] = [join(folder, 'state'), join(folder, 'away')];
  await mkdir(here);
  const said: string[] = [];
  const sink = await startSink({
    ...{ listen: [anywhere], metrics: anywhere, closeAfterMs: 10_000, maxBytes: 1e8, maxEdges: 10 },
    ...{ statePath: join(here, 'state.json'), saveEveryMs: 3_600_000, say: (message) => said.push(message) },
  });
  // The folder may be removed by then.
  t.after(() => sink.close().catch(() => undefined));
  return {
    ...{ sink, said, statePath: join(here, 'state.json') },
    scrape: async () => (await fetch(`${sink.url}/metrics`)).text(),
    takeAway: () => rename(here, away),
    putBack: () => rename(away, here),
  };
}

const headers = { 'content-type': 'application/json' };

const cannotSave = (messages: readonly string[]) =>
  messages.filter((message) => message.includes('cannot be saved'));

test('invalid exports do not suppress the message on counters that cannot be saved', async (t) => {
  const { sink, said, scrape, takeAway, putBack } = await start(t);
  for (let number = 0; number < 50; number += 1) {
    const body = `${' '.repeat(number)}[`;
    await fetch(`${sink.urls[0]}/v1/traces`, { method: 'POST', headers, body });
  }
  assert.equal(said.length, 20, said.join('\n'));
  await takeAway();
  await scrape();
  assert.equal(cannotSave(said).length, 1, said.join('\n'));
  await putBack();
});

test('a failed save is reported once, and again after a success', async (t) => {
  const { said, scrape, takeAway, putBack } = await start(t);
  for (const times of [1, 2]) {
    await takeAway();
    await scrape();
    await scrape();
    assert.equal(cannotSave(said).length, times, said.join('\n'));
    await putBack();
    await scrape();
  }
});

test('callers that wait share one save', async (t) => {
  const path = join(await makeFolder(t), 'state.json');
  const file = await CountersFile.open(path);
  t.after(() => file.close());
  const books = new SinkBooks(
    { closeAfterMs: 1, maxBytes: 1e6, maxEdges: 1, onFault: () => undefined },
    null,
  );
  let taken = 0;
  const take = () => {
    taken += 1;
    return books.takeSnapshot();
  };
  const saver = new CountersSaver(file, take, assert.fail);
  const first = saver.save();
  await Promise.resolve();
  books.exports.received = 7;
  await Promise.all([first, ...Array.from({ length: 9 }, () => saver.save())]);
  assert.equal(taken, 2);
  assert.equal(JSON.parse(await readFile(path, 'utf8')).exports.received, 7);
});

test('a sink that stops saves its counters before it judges the received spans', async (t) => {
  const { sink, statePath } = await start(t);
  const spans = callOrders(100);
  for (const body of encodeOtlpLines(spans).trimEnd().split('\n'))
    await fetch(`${sink.urls[0]}/v1/traces`, { method: 'POST', headers, body });
  const saved = new Set<string>();
  let isClosed = false;
  const closing = sink.close().finally(() => {
    isClosed = true;
  });
  while (!isClosed) {
    const { received, judged } = JSON.parse(readFileSync(statePath, 'utf8')).totals;
    saved.add(`${received} received, ${judged} judged`);
    await new Promise(setImmediate);
  }
  await closing;
  assert.ok(saved.has(`${spans.length} received, 0 judged`), [...saved].join('; '));
});
