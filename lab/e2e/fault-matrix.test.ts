/** The table of `npm run faults` on the real stack: real containers, and spans as Jaeger returns them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Call, callServiceA, expectDemo, type Mode } from 'demo';
import { faultNames } from 'faults';
import { checkTraces, openSource, type Source, type Span } from 'propagation-check';
import { assertNone } from '../fault-matrix/assert-none.ts';
import { callPaused } from '../fault-matrix/call-paused.ts';
import { listModes } from '../fault-matrix/cases.ts';
import { readExpectation } from '../fault-matrix/expectations.ts';
import { listFailed, requestsPerRun } from '../fault-matrix/observe.ts';
import { restoreEnds } from '../fault-matrix/restore-ends.ts';
import { expectFromSpans, scoreBroken, scoreHealthy, scoreStatements } from '../fault-matrix/score.ts';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';

const obstacle = await findObstacle();
const minute = 60_000;
const services = ['service-a', 'service-b'] as const;
const timeoutMs = 20_000;
/** Margin for the clock of a service that is ahead. */
const clockToleranceMs = 10_000;

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

/** The tests mostly wait, so both stacks run at the same time. */
describe('the fault matrix on the real stack', { concurrency: 2, skip: obstacle ?? false }, () => {
  for (const mode of ['auto', 'manual'] as const)
    describe(mode, { concurrency: 1, timeout: 20 * minute }, () => testMode(mode));
});

function testMode(mode: Mode): void {
  let stack: ComposeStack;
  let source: Source;
  /** Spans of a clock that is ahead fall into the time of the next test. */
  const ofEarlierTests = new Set<string>();

  /** Sends the requests one after the other and reads every trace that they make. */
  const observe = async (send = call): Promise<Observed> => {
    const startTimeMin = Date.now();
    const calls = await send(stack, requestsPerRun);
    assert.deepEqual(
      calls.flatMap(({ silence }) => silence ?? []),
      [],
    );
    await deliverAll(stack);
    const found = await readSpans(source, startTimeMin);
    const spans = found.filter(({ traceId }) => !ofEarlierTests.has(traceId));
    for (const { traceId } of spans) ofEarlierTests.add(traceId);
    return { spans, failed: await listFailed(calls, { mode, source }) };
  };

  before(
    async () => {
      stack = await createStack(mode, { SERVICE_B_TIMEOUT_MS: String(timeoutMs) });
      expectSuccess(await stack.compose(['up', '--detach', '--wait']));
      source = await openSource(`jaeger=${stack.jaeger.href}`);
    },
    { timeout: 10 * minute },
  );
  after(
    async () => {
      await source?.close();
      await stack?.close();
    },
    { timeout: 2 * minute },
  );

  it('is healthy', async () => {
    const { spans, failed } = await observe();
    const { problems } = scoreHealthy(checkTraces(spans, { expectation: expectDemo(mode) }));
    await assertNone([...problems, ...scoreStatements(failed, { fails: [] }, mode)], spans);
  });

  for (const name of faultNames.filter((one) => listModes(one).includes(mode))) {
    it(`${name} is found`, async () => {
      const up = ['up', '--detach', '--wait', '--no-build', '--no-deps', ...services];
      expectSuccess(await stack.compose(up, { FAULT: name }));
      const send = name === 'context-lost' ? callDuringPauses : call;
      const { spans, failed } = await observe(send);
      const result = checkTraces(restoreEnds(spans), { expectation: expectDemo(mode) });
      const { problems } = scoreBroken(result, expectFromSpans(readExpectation(name), requestsPerRun));
      await assertNone([...problems, ...scoreStatements(failed, readExpectation(name), mode)], spans);
    });
  }
}

interface Observed {
  readonly spans: readonly Span[];
  readonly failed: readonly (readonly number[])[];
}

function call({ serviceA }: ComposeStack, requests: number): Promise<readonly Call[]> {
  return callServiceA({ serviceA, requests, concurrency: 1, timeoutMs });
}

function callDuringPauses(stack: ComposeStack, requests: number): Promise<readonly Call[]> {
  return callPaused(requests, {
    call: () => call(stack, 1),
    pause: async () => expectSuccess(await stack.compose(['pause', 'service-b'])),
    resume: async () => expectSuccess(await stack.compose(['unpause', 'service-b'])),
  });
}

/** Stopping services export their queued spans. Jaeger answers the Collector after it has stored the spans. */
async function deliverAll(stack: ComposeStack): Promise<void> {
  expectSuccess(await stack.compose(['stop', ...services]));
  expectSuccess(await stack.probe('otel-collector', { namespace: 'network', script: 'await-delivered.ts' }));
}

async function readSpans(source: Source, startTimeMin: number): Promise<readonly Span[]> {
  const startTimeMax = Date.now() + clockToleranceMs;
  const found = await Promise.all(
    services.map((service) => source.searchTraces({ service, startTimeMin, startTimeMax, limit: 100 })),
  );
  return found.flat();
}
