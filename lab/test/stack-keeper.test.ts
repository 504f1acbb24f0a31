import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StackKeeper } from '../chaos/stack-keeper.ts';
import { CommandError } from '../run-command.ts';
import { createStack } from './chaos-samples.ts';

const plain = { services: { 'service-a': { image: 'a' } } };
const other = { services: { 'service-a': { image: 'a', environment: { SPAN_BACKLOG_BYTES: '65536' } } } };

describe('a kept stack', () => {
  it('is the same for the same changes', async () => {
    const { keeper, events } = createKeeper();
    assert.equal(await keeper.provide(plain), await keeper.provide(structuredClone(plain)));
    assert.deepEqual(events, ['start 1']);
  });

  it('is removed before a stack with other changes starts', async () => {
    const { keeper, events } = createKeeper();
    await keeper.provide(plain);
    await keeper.provide(other);
    await keeper.provide(plain);
    assert.deepEqual(events, ['start 1', 'close 1', 'start 2', 'close 2', 'start 3']);
  });

  it('is discarded once', async () => {
    const { keeper, events } = createKeeper();
    await keeper.provide(plain);
    await keeper.discard();
    await keeper.discard();
    await keeper.provide(plain);
    assert.deepEqual(events, ['start 1', 'close 1', 'start 2']);
  });

  it('is not kept when its start fails', async () => {
    const keeper = new StackKeeper(async () => {
      throw new CommandError('no such image');
    });
    await assert.rejects(keeper.provide(plain), CommandError);
    await keeper.discard();
  });
});

function createKeeper() {
  const events: string[] = [];
  let started = 0;
  const keeper = new StackKeeper(async () => {
    started += 1;
    events.push(`start ${started}`);
    const end = `close ${started}`;
    return createStack({ close: async () => void events.push(end) });
  });
  return { keeper, events };
}
