import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServices } from './start-services.mjs';

test('web answers with what orders says', async (t) => {
  const { url, stop } = await startServices();
  t.after(stop);
  const answer = await fetch(url);
  assert.equal(await answer.text(), 'ordered');
});
