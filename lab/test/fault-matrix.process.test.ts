/** Every row of the fault matrix, with real processes. */
import { describe, it } from 'node:test';
import { assertNone } from '../fault-matrix/assert-none.ts';
import { faultCases } from '../fault-matrix/cases.ts';
import { listProblems } from '../fault-matrix/report.ts';

describe('the fault matrix', { concurrency: 2 }, () => {
  for (const one of faultCases) {
    it(`${one.name}, ${one.mode} mode`, async ({ signal }) => {
      const observation = await one.run(signal);
      await assertNone(listProblems(one.check(observation)), observation.spans);
    });
  }
});
