import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awaitFelt } from '../chaos/await-felt.ts';
import { NoFaultError } from '../chaos/fault.ts';

describe('the wait for the effect of a fault', () => {
  it('ends when there is an effect', async () => {
    const shown = ['nothing yet', null];
    await awaitFelt(async () => shown.shift() ?? null);
    assert.deepEqual(shown, []);
  });

  it('fails without an effect, with the last observation', async () => {
    const shown = ['first', 'last'];
    await assert.rejects(
      awaitFelt(async () => shown.shift() ?? 'last', 100),
      new NoFaultError('last within 0.1 s'),
    );
  });
});
