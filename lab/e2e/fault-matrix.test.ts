/** The table of `npm run faults` on the real stack: real containers, and spans as Jaeger gives them back. */
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Call, callServiceA, expectDemo, type Mode } from 'demo';
import { faultNames } from 'faults';
import { checkTraces, openSource, type Source, type Span } from 'propagation-check';
import { encodeOtlpLines } from 'propagation-check/kit';
import { listModes } from '../fault-matrix/cases.ts';
import { readExpectation } from '../fault-matrix/expectations.ts';
import { listFailed, requestsPerRun } from '../fault-matrix/observe.ts';
import { expectFromSpans, scoreBroken, scoreHealthy, scoreStatements } from '../fault-matrix/score.ts';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';

const obstacle = await findObstacle();
const minute = 60_000;
const services = ['service-a', 'service-b'] as const;
/** Spans leave the services after 100 ms, and the Collector after 200 ms more. */
const variables = { OTEL_BSP_SCHEDULE_DELAY: '100' };
const quietMs = 1_500;
/** An export that failed is tried again after a second or more; nobody waits for that once every request has its span. */
const retryMs = 6_000;
const deadlineMs = 20_000;
/** The clock of a service may be ahead. */
const clockToleranceMs = 10_000;

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

/** The tests mostly wait, so both stacks run at once. */
describe('the fault matrix on the real stack', { concurrency: 2, skip: obstacle ?? false }, () => {
  for (const mode of ['auto', 'manual'] as const)
    describe(mode, { concurrency: 1, timeout: 20 * minute }, () => testMode(mode));
});

function testMode(mode: Mode): void {
  let stack: ComposeStack;
  let source: Source;

  before(
    async () => {
      stack = await createStack(mode);
      expectSuccess(await stack.compose(['up', '--detach', '--wait'], variables));
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
    const { spans, failed } = await observe(stack, source, mode);
    const { problems } = scoreHealthy(checkTraces(spans, { expectation: expectDemo(mode) }));
    await assertNone([...problems, ...scoreStatements(failed, { fails: [] }, mode)], spans);
  });

  for (const name of faultNames.filter((one) => listModes(one).includes(mode))) {
    it(`${name} is found`, async () => {
      const up = ['up', '--detach', '--wait', '--no-build', '--no-deps', ...services];
      expectSuccess(await stack.compose(up, { ...variables, FAULT: name }));
      const { spans, failed } = await observe(stack, source, mode);
      const result = checkTraces(spans, { expectation: expectDemo(mode) });
      const { problems } = scoreBroken(result, expectFromSpans(readExpectation(name), requestsPerRun));
      await assertNone([...problems, ...scoreStatements(failed, readExpectation(name), mode)], spans);
    });
  }
}

interface Observed {
  readonly spans: readonly Span[];
  readonly failed: readonly (readonly number[])[];
}

/** Sends the requests one after the other, and reads every trace that they left. */
async function observe(stack: ComposeStack, source: Source, mode: Mode): Promise<Observed> {
  const startTimeMin = Date.now();
  const calls: readonly Call[] = await callServiceA({
    serviceA: stack.serviceA,
    requests: requestsPerRun,
    concurrency: 1,
    timeoutMs: deadlineMs,
  });
  assert.deepEqual(
    calls.flatMap(({ silence }) => silence ?? []),
    [],
  );
  const spans = await readSettled(source, startTimeMin);
  return { spans, failed: await listFailed(calls, { mode, source }) };
}

/** Keeps the spans of a run that was judged wrongly: a fault that is missed once in many runs is found by them alone. */
async function assertNone(problems: readonly string[], spans: readonly Span[]): Promise<void> {
  if (problems.length === 0) return;
  const kept = join(await mkdtemp(join(tmpdir(), 'fault-matrix-')), 'spans.otlp.jsonl');
  await writeFile(kept, encodeOtlpLines(spans));
  assert.fail([...problems, `the spans: ${kept}`].join('\n'));
}

/** No span says that it is the last: the trace counts as complete when no span has come for some time. */
async function readSettled(source: Source, startTimeMin: number): Promise<readonly Span[]> {
  const deadline = Date.now() + deadlineMs;
  let spans: readonly Span[] = [];
  let changedAt = Date.now();
  while (spans.length === 0 || Date.now() < changedAt + (hasEveryRequest(spans) ? quietMs : retryMs)) {
    if (Date.now() > deadline)
      throw new Error(`after ${deadlineMs} ms ${spans.length} spans, and still more`);
    await delay(100);
    const found = await Promise.all(
      services.map((service) =>
        source.searchTraces({
          service,
          startTimeMin,
          startTimeMax: Date.now() + clockToleranceMs,
          limit: 100,
        }),
      ),
    );
    const all = found.flat();
    if (all.length !== spans.length) changedAt = Date.now();
    spans = all;
  }
  return spans;
}

function hasEveryRequest(spans: readonly Span[]): boolean {
  const requests = spans.filter((span) => span.kind === 'SERVER' && span.serviceName === 'service-a');
  return requests.length >= requestsPerRun;
}
