import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awaitFelt } from '../chaos/await-felt.ts';
import { NoFaultError } from '../chaos/fault.ts';

describe('a fault', () => {
  it('is waited for until it is felt', async () => {
    const shown = ['nothing yet', null];
    await awaitFelt(async () => shown.shift() ?? null);
    assert.deepEqual(shown, []);
  });

  it('is none when it is not felt, and what showed last is said', async () => {
    const shown = ['first', 'last'];
    await assert.rejects(
      awaitFelt(async () => shown.shift() ?? 'last', 100),
      new NoFaultError('last within 0.1 s'),
    );
  });
});
