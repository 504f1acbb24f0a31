/** The table of `npm run faults` on the real stack: real containers, and spans as Jaeger gives them back. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { callServiceA, type Mode } from 'demo';
import { checkTraces, openSource, type Source, type Span } from 'propagation-check';
import { type FaultName, faultNames, faults as faultsOfA } from '../../service-a/src/fault.ts';
import { faults as faultsOfB } from '../../service-b/src/fault.ts';
import { expectDemo } from '../fault-check.ts';
import { requestsPerRun } from '../fault-run.ts';
import { expectFromSpans, scoreBroken, scoreHealthy } from '../fault-score.ts';
import { faultTable } from '../fault-table.ts';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';

const obstacle = await findObstacle();
const minute = 60_000;
const services = ['service-a', 'service-b'] as const;
const faults = { 'service-a': faultsOfA, 'service-b': faultsOfB } as const;
/** Spans leave the services after 100 ms, and the Collector after 200 ms more. */
const variables = { OTEL_BSP_SCHEDULE_DELAY: '100' };
const quietMs = 1_500;
/** An export that failed is tried again after a second or more; nobody waits for that once every request has its span. */
const retryMs = 6_000;
const deadlineMs = 20_000;
/** The clock of a service may be ahead. */
const clockToleranceMs = 10_000;

type Service = (typeof services)[number];

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

/** Waiting is most of it, so both stacks run at once. */
describe('the fault matrix on the real stack', { concurrency: 2, skip: obstacle ?? false }, () => {
  for (const mode of ['auto', 'manual'] as const)
    describe(mode, { concurrency: 1, timeout: 20 * minute }, () => testMode(mode));
});

function testMode(mode: Mode): void {
  let stack: ComposeStack;
  let source: Source;
  let broken: readonly Service[] = [];

  before(
    async () => {
      stack = await createStack(mode);
      expectSuccess(await stack.compose(['build', 'init', ...services]));
      expectSuccess(await stack.compose(['up', '--detach', '--wait', '--no-build'], variables));
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
    const spans = await observe(stack, source);
    assert.deepEqual(scoreHealthy(checkTraces(spans, { expectation: expectDemo(mode) })).problems, []);
  });

  for (const name of listFaults(mode)) {
    it(`${name} is found`, async () => {
      const breaking = listBroken(name);
      const healed = broken.filter((service) => !breaking.includes(service));
      await restart(stack, healed, '');
      await restart(stack, breaking, name);
      broken = breaking;
      const spans = await observe(stack, source);
      const result = checkTraces(spans, { expectation: expectDemo(mode) });
      const { problems } = scoreBroken(result, expectFromSpans(faultTable[name], requestsPerRun));
      assert.deepEqual(problems, []);
    });
  }
}

/** Those that break the same services one after the other, because a service that stays as it is need not be started anew. */
function listFaults(mode: Mode): readonly FaultName[] {
  const ofMode = faultNames.filter((name) => faultTable[name].modes.includes(mode));
  return [...Map.groupBy(ofMode, (name) => listBroken(name).join()).values()].flat();
}

function listBroken(name: FaultName): readonly Service[] {
  return services.filter((service) => Object.keys(faults[service][name]).length > 0);
}

async function restart(stack: ComposeStack, names: readonly Service[], fault: string): Promise<void> {
  if (names.length === 0) return;
  const up = ['up', '--detach', '--wait', '--no-build', '--no-deps', ...names];
  expectSuccess(await stack.compose(up, { ...variables, FAULT: fault }));
}

/** Sends the requests one after the other, and reads every trace that they left. */
async function observe(stack: ComposeStack, source: Source): Promise<readonly Span[]> {
  const startTimeMin = Date.now();
  const calls = await callServiceA({
    serviceA: stack.serviceA,
    requests: requestsPerRun,
    concurrency: 1,
    timeoutMs: deadlineMs,
  });
  assert.deepEqual(
    calls.flatMap(({ silence }) => silence ?? []),
    [],
  );
  return readSettled(source, startTimeMin);
}

/** No span says that it is the last: these are all when for some time no other has come. */
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
