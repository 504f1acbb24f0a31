import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseAnswer } from 'demo';
import { z } from 'zod';
import { assertNothingLost } from './assert-nothing-lost.ts';
import { type ComposeStack, createStack, expectSuccess, findObstacle, type Ran } from './compose-stack.ts';
import { startTraffic } from './traffic.ts';

const workSchema = z.object({
  received_traceparent: z.string(),
  trace_id: z.string(),
  parent_span_id: z.string().nullable(),
  baggage: z.record(z.string(), z.string()),
});

const obstacle = await findObstacle();
const isDemanded = process.env.CI === 'true';
const minute = 60_000;
/** Without a build: the images have been built before. */
const upArguments = ['--detach', '--wait', '--no-build'];

if (obstacle !== null && isDemanded) {
  it('the real stack can run', () => assert.fail(obstacle));
}

/** The tests mostly wait, so both stacks run at the same time. */
describe('the stack', { concurrency: 2, skip: obstacle ?? false }, () => {
  for (const mode of ['auto', 'manual'] as const) {
    describe(mode, { concurrency: 1, timeout: 20 * minute }, () => {
      let stack: ComposeStack;

      before(
        async () => {
          stack = await createStack(mode);
          expectSuccess(await stack.compose(['build']));
        },
        { timeout: 10 * minute },
      );
      after(() => stack.close(), { timeout: 2 * minute });

      it('passes the assertion by one command, which leaves the stack running', async () => {
        const ran = await stack.compose(['run', '--rm', 'assert']);
        assert.equal(ran.code, 0, ran.stdout + ran.stderr);
        assert.match(ran.stdout, /^INTACT {2}/m);
        const link = new URL(/^Jaeger +(\S+)$/m.exec(ran.stdout)?.[1] ?? '');
        assert.equal(link.port, stack.jaeger.port);
        const traceId = link.pathname.split('/').at(-1) ?? '';
        assert.match(ran.stdout, new RegExp(`^trace ${traceId}$`, 'm'));
        const read = await fetch(new URL(`/api/v3/traces/${traceId}`, stack.jaeger));
        assert.equal(read.status, 200);
        await read.text();
        // The UI's page requests the trace in its own address from the API.
        const neighbours = new URL(/^neighbours +(\S+)$/m.exec(ran.stdout)?.[1] ?? '');
        assert.equal(neighbours.port, stack.jaeger.port);
        const found = await fetch(new URL(`/api/traces${neighbours.search}`, stack.jaeger));
        assert.equal(found.status, 200);
        assert.ok((await found.text()).includes(traceId));
      });

      it('passes the assertion from the host, with concurrent requests', async () => {
        const ran = await stack.script('assert-propagation.ts', ['--requests', '50']);
        assert.equal(ran.code, 0, ran.stdout + ran.stderr);
        assert.match(ran.stdout, /^50 of 50 traces intact$/m);
      });

      it('accounts for every span, from the host and from inside', async () => {
        for (const ran of [
          await stack.script('assert-propagation.ts', ['--account', '--requests', '20']),
          await stack.compose(['run', '--rm', 'assert', '--account', '--requests', '20']),
        ]) {
          assert.equal(ran.code, 0, ran.stdout + ran.stderr);
          assert.match(ran.stdout, /^ACCOUNT AGREES {2}/m);
        }
      });

      it('lets no caller from the host choose a trace, neither of A nor of B', async () => {
        const traceId = '0af7651916cd43dd8448eb211c80319c';
        const headers = {
          traceparent: `00-${traceId}-b7ad6b7169203331-01`,
          tracestate: 'foo=1',
          baggage: 'hello=stranger,user=alice',
          'x-forwarded-for': '10.0.0.1',
        };
        const answer = parseAnswer(
          await (await fetch(new URL('/call-b', stack.serviceA), { headers })).text(),
        );
        assert.notEqual(answer.service_a_trace_id, traceId);
        assert.equal(answer.same_trace, true);
        const work: unknown = await (await fetch(new URL('/work', stack.serviceB), { headers })).json();
        const { trace_id, ...rest } = workSchema.parse(work);
        assert.notEqual(trace_id, traceId);
        assert.deepEqual(rest, {
          received_traceparent: headers.traceparent,
          parent_span_id: null,
          baggage: {},
        });
      });

      if (mode === 'auto') {
        it('loses no span of an answered request when it is stopped under traffic', async () => {
          const traffic = startTraffic(stack.serviceA, 4);
          await traffic.answered(40);
          expectSuccess(await stack.compose(['stop', 'service-a', 'service-b']));
          const answers = await traffic.stop();
          await assertNothingLost(stack, answers, { mode, patienceMs: 20_000 });
          assert.ok(answers.length >= 40);
          expectSuccess(await stack.compose(['up', ...upArguments]));
        });

        it('names service A when it is killed', async () => {
          expectSuccess(await stack.compose(['kill', 'service-a']));
          assertSilent(
            await stack.compose(['run', '--rm', '--no-deps', 'assert', '--timeout', '10']),
            'service A',
          );
          expectSuccess(await stack.compose(['up', ...upArguments]));
        });

        it('names service B when it is killed', async () => {
          expectSuccess(await stack.compose(['kill', 'service-b']));
          assertSilent(await stack.script('assert-propagation.ts', ['--timeout', '10']), 'service B');
          expectSuccess(await stack.compose(['up', ...upArguments]));
        });

        it('names the Collector when it is killed', async () => {
          expectSuccess(await stack.compose(['kill', 'otel-collector']));
          assertSilent(await stack.script('assert-propagation.ts', ['--timeout', '3']), 'Collector');
          expectSuccess(await stack.compose(['up', ...upArguments]));
        });

        it('names Jaeger when it is killed', async () => {
          expectSuccess(await stack.compose(['kill', 'jaeger']));
          assertSilent(
            await stack.compose(['run', '--rm', '--no-deps', 'assert', '--timeout', '3']),
            'Jaeger',
          );
          expectSuccess(await stack.compose(['up', ...upArguments]));
        });
      }

      it('fails the assertion by the one command with a fault', async () => {
        const ran = await stack.compose(['run', '--rm', 'assert'], { FAULT: 'context-lost' });
        assert.equal(ran.code, 1, ran.stdout + ran.stderr);
        assert.match(ran.stdout, /^points at {2}2 /m);
      });

      it('refuses an unknown fault by the one command', async () => {
        const ran = await stack.compose(['run', '--rm', 'assert'], { FAULT: 'no-such-fault' });
        assert.equal(ran.code, 2, ran.stdout + ran.stderr);
        assert.match(ran.stderr, /^FAULT="no-such-fault" is not valid; allowed: body-never-read, .*$/m);
      });
    });
  }
});

function assertSilent(ran: Ran, hop: string): void {
  assert.equal(ran.code, 2, ran.stdout + ran.stderr);
  assert.match(ran.stdout, new RegExp(`^NO VERDICT {2}${hop} stayed silent`, 'm'));
}
