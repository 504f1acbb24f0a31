/** Every row of the fault matrix, with real processes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultCases } from '../fault-matrix/cases.ts';
import { listProblems } from '../fault-matrix/report.ts';

describe('the fault matrix', { concurrency: 2 }, () => {
  for (const one of faultCases) {
    it(`${one.name}, ${one.mode} mode`, async ({ signal }) => {
      assert.deepEqual(listProblems(one.check(await one.run(signal))), []);
    });
  }
});
