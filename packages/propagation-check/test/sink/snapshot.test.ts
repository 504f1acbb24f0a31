import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTotals } from '../../src/sink/judge-totals.ts';
import { SinkBooks } from '../../src/sink/sink-books.ts';
import { readSnapshot, writeSnapshot } from '../../src/sink/snapshot.ts';
import { makeFolder } from '../cli/run-cli.ts';

const exports = { received: 0, refused: { memory: 0, backlog: 0, bodies: 0, invalid: 0, fault: 0 } };
const snapshot = { totals: noTotals, exports, lost: 0, edges: [] };

test('the error on a damaged file has the place and advice', async (t) => {
  const path = join(await makeFolder(t), 'state.json');
  await writeSnapshot(path, snapshot);
  const whole = JSON.stringify({ version: 1, savedAt: new Date().toISOString(), ...snapshot });
  const cases = [
    ['', /: empty; put a copy/],
    [whole.slice(0, 100), /: damaged at byte 100: the JSON ends early, as if it was cut off; put a copy/],
    [whole.replace('"version":1', '"version":2'), /: no counters of a sink, of version 1; /],
    ['[]', /: no counters of a sink, of version 1; /],
    [whole.replace('"lost":0', '"lost":-1'), /: damaged, lost is missing or wrong; put a copy/],
    [whole.replace('"received":0,', ''), /: damaged, totals\.received is missing or wrong; put a copy/],
  ] as const;
  for (const [text, message] of cases) {
    await writeFile(path, text);
    await assert.rejects(
      readSnapshot(path),
      (error: Error) => message.test(error.message) || assert.fail(error.message),
    );
  }
});

test('an older file is read: missing reasons are 0, and causes get their new names', async () => {
  const path = fileURLToPath(new URL('fixtures/older-state.json', import.meta.url));
  const before = await readSnapshot(path);
  assert.deepEqual(before?.exports, {
    received: 12,
    refused: { memory: 1, backlog: 2, bodies: 3, invalid: 4, fault: 0 },
  });
  const books = new SinkBooks(
    { closeAfterMs: 1, maxBytes: 1e9, maxEdges: 9, onFault: () => assert.fail() },
    before,
  );
  assert.deepEqual(
    books.counters.list().map(({ verdict, cause, calls }) => `${verdict} ${cause}: ${calls}`),
    ['intact : 40', 'undecided judged-apart: 2'],
  );
});
