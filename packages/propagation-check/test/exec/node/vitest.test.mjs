import { expect, onTestFinished, test } from 'vitest';
import { startServices } from './start-services.mjs';

test('web answers with what orders says', async () => {
  const { url, stop } = await startServices();
  onTestFinished(stop);
  const answer = await fetch(url);
  expect(await answer.text()).toBe('ordered');
});
