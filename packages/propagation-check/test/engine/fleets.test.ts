import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { captureFleet, fleet } from './simulate-fleet.ts';

test('a capture of a fleet, cut anywhere, raises no error', () => {
  fc.assert(
    fc.property(fleet, (planned) => {
      const errors = checkTraces(captureFleet(planned)).findings.filter(
        ({ severity }) => severity === 'error',
      );
      assert.deepEqual(errors, []);
    }),
    { numRuns: 100, seed: 11 },
  );
});
