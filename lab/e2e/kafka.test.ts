/** Services -> Collector -> Kafka -> Collector -> Jaeger with a real broker that is killed under traffic. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { assertNothingLost } from './assert-nothing-lost.ts';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';
import { startTraffic } from './traffic.ts';

const obstacle = await findObstacle();
const minute = 60_000;
/** On a busy machine a killed broker needs a minute to restart, and then time for its consumer group and the waiting spans. */
const patienceMs = 4 * minute;

const partitionsSchema = z.array(z.tuple([z.string(), z.array(z.number())]));
const intact = /^INTACT {2}1 edge, 20 calls/m;
/** Spans alone cannot show whether the producer sends no context or the consumer ignores it. */
const split = /\(split-trace\)$.*header-not-sent.*header-ignored/ms;
const messageVariants = [
  { variant: 'parent', code: 0, says: intact },
  { variant: 'link', code: 0, says: intact },
  { variant: 'consumer-not-linked', code: 1, says: split },
  { variant: 'producer-sends-none', code: 1, says: split },
] as const;

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

describe('the stack with Kafka between two tiers', { skip: obstacle ?? false, timeout: 10 * minute }, () => {
  let stack: ComposeStack;

  before(
    async () => {
      stack = await createStack('auto', { KAFKA: 'on' });
      expectSuccess(await stack.compose(['build', 'init']));
      expectSuccess(await stack.compose(['up', '--detach', '--wait', '--no-build']));
    },
    { timeout: 10 * minute },
  );
  after(() => stack.close(), { timeout: 2 * minute });

  it('passes the assertion, and accounts for every span', async () => {
    const ran = await stack.compose(['run', '--rm', 'assert', '--account', '--requests', '20']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^20 of 20 traces intact$/m);
    assert.match(ran.stdout, /^ACCOUNT AGREES {2}/m);
  });

  it('has all spans of a trace in one partition, and traces in many', async () => {
    const ran = expectSuccess(await stack.probeNew('messages', 'list-partitions.ts'));
    const keys = partitionsSchema.parse(JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? ''));
    assert.ok(keys.length >= 20, `${keys.length} traces`);
    assert.deepEqual(
      keys.filter(([key, partitions]) => !/^[0-9a-f]{32}$/.test(key) || partitions.length !== 1),
      [],
    );
    assert.ok(new Set(keys.flatMap(([, partitions]) => partitions)).size > 1);
  });

  it('carries messages that keep their trace, and faults that the checker names', async () => {
    const runs = await Promise.all(
      messageVariants.map(async ({ variant, code, says }) => {
        const ran = await stack.compose(['run', '--rm', '--no-deps', 'messages', variant]);
        return { variant, ran, code, says };
      }),
    );
    for (const { variant, ran, code, says } of runs) {
      const text = ran.stdout + ran.stderr;
      assert.equal(ran.code, code, `${variant}: ${text}`);
      assert.match(text, says, variant);
    }
  });

  it('sends Jaeger no spans that bypass Kafka', async () => {
    expectSuccess(await stack.compose(['stop', 'kafka-collector']));
    const ran = await stack.compose(['run', '--rm', '--no-deps', 'assert', '--timeout', '3']);
    assert.equal(ran.code, 2, ran.stdout + ran.stderr);
    expectSuccess(await stack.compose(['start', 'kafka-collector']));
  });

  it('loses no span when the broker, Jaeger and the second tier are killed under traffic', async () => {
    const traffic = startTraffic(stack.serviceA, 4);
    await traffic.answered(100);
    expectSuccess(await stack.compose(['kill', 'kafka']));
    await traffic.answered(300);
    expectSuccess(await stack.compose(['start', 'kafka']));
    await traffic.answered(500);
    // The second tier now holds spans that Jaeger has not acknowledged; it reads them from Kafka again.
    expectSuccess(await stack.compose(['kill', 'jaeger']));
    await traffic.answered(700);
    expectSuccess(await stack.compose(['kill', 'kafka-collector']));
    expectSuccess(await stack.compose(['start', 'jaeger', 'kafka-collector']));
    await traffic.answered(900);
    const answers = await traffic.stop();
    await assertNothingLost(stack, answers, { mode: 'auto', patienceMs });
    assert.ok(answers.length >= 900);
  });
});
