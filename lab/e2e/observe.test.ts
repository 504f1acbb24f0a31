/** The sink, Prometheus and the files of `deploy/observe/`: the dashboard's own expressions query real counters of real traces. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { callServiceA } from 'demo';
import { openSource } from 'propagation-check';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { z } from 'zod';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';

const obstacle = await findObstacle();
const minute = 60_000;
const deadlineMs = 90_000;
const requests = 20;
/** Without Grafana, for which `.ci/images` has no stand-in. */
const services = ['service-a', 'service-b', 'otel-collector', 'jaeger', 'sink', 'prometheus'] as const;

const sampleSchema = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string()]),
});
const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({ result: z.array(sampleSchema) }),
});
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
  }),
});
const exemplarsSchema = z.object({
  data: z.array(
    z.object({
      seriesLabels: z.record(z.string(), z.string()),
      exemplars: z.array(z.object({ labels: z.object({ trace_id: z.string() }) })),
    }),
  ),
});
/** Recreates the services, with the fault that the variables name or without one. */
const recreateServices = ['up', '--detach', '--wait', '--no-build', '--no-deps', 'service-a', 'service-b'];

const dashboardSchema = z.object({
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) }),
  ),
});

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

describe('the observed stack', { skip: obstacle ?? false, timeout: 10 * minute }, () => {
  let stack: ComposeStack;
  let prometheus: URL;

  before(
    async () => {
      const [port = 0, grafanaPort = 0] = await findFreePorts(2);
      prometheus = new URL(`http://127.0.0.1:${port}`);
      stack = await createStack('auto', {
        OBSERVE: 'on',
        SINK_CLOSE_AFTER: '2s',
        PROMETHEUS_PORT: String(port),
        GRAFANA_PORT: String(grafanaPort),
      });
      expectSuccess(await stack.compose(['build', 'init']));
      expectSuccess(await stack.compose(['up', '--detach', '--wait', '--no-build', ...services]));
    },
    { timeout: 10 * minute },
  );
  after(() => stack.close(), { timeout: 2 * minute });

  it('has alert rules whose unit tests pass', async () => {
    const promtool = ['run', '--rm', '--no-deps', '--entrypoint', 'promtool', 'prometheus'];
    for (const args of [
      ['check', 'config', '/etc/prometheus/prometheus.yaml'],
      ['test', 'rules', '/etc/prometheus/alerts.test.yaml'],
    ]) {
      const ran = await stack.compose([...promtool, ...args]);
      assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    }
  });

  it('accounts for every span, although the sink receives all spans too', async () => {
    const ran = await stack.compose(['run', '--rm', '--no-deps', 'assert', '--account', '--requests', '20']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^ACCOUNT AGREES {2}/m);
  });

  it('counts intact calls, then broken calls with their cause and an exemplar', async () => {
    const edge = 'client="service-a", server="service-b"';
    await send(stack.serviceA);
    await untilAtLeast(prometheus, `propagation_edge_calls_total{${edge}, verdict="intact"}`, requests);

    expectSuccess(await stack.compose(recreateServices, { FAULT: 'strip-traceparent' }));
    await send(stack.serviceA);
    const broken = `propagation_edge_calls_total{${edge}, verdict="broken", cause="header-stripped"}`;
    await untilAtLeast(prometheus, broken, requests);

    const url = new URL('/api/v1/query_exemplars', prometheus);
    url.search = String(
      new URLSearchParams({
        query: broken,
        start: String(Date.now() / 1000 - 600),
        end: String(Date.now() / 1000 + 60),
      }),
    );
    const { data } = exemplarsSchema.parse(await (await fetch(url)).json());
    const traceId = data[0]?.exemplars[0]?.labels.trace_id ?? '';
    const source = await openSource(`jaeger=${stack.jaeger.href}`);
    const spans = await source.readTrace(traceId).finally(() => source.close());
    assert.ok(spans.length > 0, `Jaeger has no trace ${traceId}`);
  });

  it('has a value for every expression of the dashboard and of the alerts', async () => {
    const path = join(import.meta.dirname, '..', '..', 'deploy', 'observe', 'dashboard.json');
    const { panels } = dashboardSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => resolveVariables(expr)));
    assert.ok(expressions.length > 0);
    // Intact calls are counted in every batch. A broken call waits for both of its traces, which under traffic are in different batches.
    expectSuccess(await stack.compose(recreateServices));
    await poll(
      async () => {
        await send(stack.serviceA);
        const answers = await Promise.all(expressions.map((one) => query(prometheus, one)));
        return expressions.filter((_, index) => answers[index]?.length === 0);
      },
      (empty) => empty.length === 0,
      (empty) => `no answer to ${empty.join('\nnor to ')}`,
    );
    const { data } = rulesSchema.parse(await (await fetch(new URL('/api/v1/rules', prometheus))).json());
    const rules = data.groups.flatMap((group) => group.rules);
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok'),
      [],
    );
  });

  it('works without the sink, which restores its counters when it restarts', async () => {
    const intact = 'sum(propagation_edge_calls_total{verdict="intact"})';
    const [before] = await query(prometheus, intact);
    expectSuccess(await stack.compose(['stop', 'sink']));
    expectSuccess(await stack.compose(recreateServices));
    const ran = await stack.compose(['run', '--rm', '--no-deps', 'assert']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    expectSuccess(await stack.compose(['start', 'sink']));
    await untilAtLeast(prometheus, 'min_over_time(up{job="sink"}[6s])', 1);
    await untilAtLeast(prometheus, intact, before ?? Number.NaN);
  });
});

/** Replaces variables as Grafana does for all services and a range of some minutes. */
function resolveVariables(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '2m')
    .replaceAll('$__range', '10m')
    .replaceAll(/\$(client|server)/g, '.*');
}

async function send(serviceA: URL): Promise<void> {
  const calls = await callServiceA({ serviceA, requests, concurrency: 4, timeoutMs: deadlineMs });
  assert.deepEqual(
    calls.flatMap(({ silence }) => silence ?? []),
    [],
  );
}

/** The values of an instant query. */
async function query(prometheus: URL, expression: string): Promise<readonly number[]> {
  const url = new URL('/api/v1/query', prometheus);
  url.searchParams.set('query', expression);
  const answer = await fetch(url);
  const body = await answer.text();
  assert.equal(answer.status, 200, `${expression}: ${body}`);
  return answerSchema.parse(JSON.parse(body)).data.result.map(({ value }) => Number(value[1]));
}

async function untilAtLeast(prometheus: URL, expression: string, least: number): Promise<void> {
  await poll(
    () => query(prometheus, expression),
    (values) => values.some((value) => value >= least),
    (values) => `${expression} is ${values.join(', ') || 'nowhere'} instead of ${least}`,
  );
}

/** Calls `ask` until its answer is right. */
async function poll<Answer>(
  ask: () => Promise<Answer>,
  isRight: (answer: Answer) => boolean,
  otherwise: (answer: Answer) => string,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return;
    if (Date.now() > deadline) assert.fail(`after ${deadlineMs} ms ${otherwise(answer)}`);
    await delay(500);
  }
}
