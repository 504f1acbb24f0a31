import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { noTotals } from '../../src/sink/judge-totals.ts';
import { readSnapshot, writeSnapshot } from '../../src/sink/snapshot.ts';
import { makeFolder } from '../cli/run-cli.ts';

const exports = { received: 0, refused: { memory: 0, backlog: 0, bodies: 0, invalid: 0, fault: 0 } };
const snapshot = { totals: noTotals, exports, lost: 0, edges: [] };

test('a file that is damaged: the error has the place, and what to do', async (t) => {
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
