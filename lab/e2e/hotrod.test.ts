import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { checkTraces, expectPath, noExpectation, openSource, type Span } from 'propagation-check';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { type ComposeStack, createStack, expectSuccess, findObstacle } from './compose-stack.ts';

/** HotROD, Jaeger's demo: four Go services, with a database and a cache that exist only as CLIENT spans. */
const image = process.env.HOTROD_IMAGE ?? 'jaegertracing/example-hotrod:1.76.0';
const customers = ['123', '392', '731', '567'];
const requests = 12;
const deadlineMs = 60_000;

const obstacle = await findObstacle();

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

describe('a foreign system, HotROD', { skip: obstacle ?? false, timeout: 5 * 60_000 }, () => {
  let stack: ComposeStack;
  let frontend: URL;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hotrod-'));
    const token = randomBytes(32).toString('hex');
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, token, { mode: 0o600 });
    stack = await createStack('auto', { OTLP_TOKEN_FILE: tokenFile });
    const [port = 0] = await findFreePorts(1);
    frontend = new URL(`http://127.0.0.1:${port}`);
    expectSuccess(await stack.compose(['build', 'init']));
    expectSuccess(
      await stack.compose(['up', '--detach', '--wait', '--no-build', 'otel-collector', 'jaeger']),
    );
    expectSuccess(
      // The network `ui` is for the published port: `telemetry` is internal.
      await stack.runBeside(
        'hotrod',
        ['telemetry', 'ui'],
        [
          '--publish',
          `127.0.0.1:${port}:8080`,
          '--env',
          'OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318',
          '--env',
          `OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20${token}`,
          image,
          'all',
        ],
      ),
    );
  });
  after(async () => {
    await stack.stopBeside('hotrod');
    await stack.close();
    await rm(folder, { recursive: true });
  });

  it('gives no false alarm, read back from Jaeger', async () => {
    await waitUntilItAnswers(frontend);
    const started = Date.now();
    const answers = Array.from({ length: requests }, async (_, index) => {
      const url = new URL(`/dispatch?customer=${customers[index % customers.length]}`, frontend);
      const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
      const body = await answer.text();
      assert.equal(answer.status, 200, body);
    });
    await Promise.all(answers);

    const spans = await readUntilComplete(stack.jaeger, started);
    const edges = ['customer', 'driver', 'route'].flatMap((service) => expectPath(['frontend', service]));
    const expected = checkTraces(spans, { expectation: { ...noExpectation, edges } });
    const alone = checkTraces(spans);
    const describeErrors = (result: typeof alone): string =>
      JSON.stringify(
        result.findings.filter((finding) => finding.severity === 'error'),
        null,
        2,
      );
    assert.equal(alone.verdict, 'intact', describeErrors(alone));
    assert.equal(expected.verdict, 'intact', describeErrors(expected));
    const calls = (server: string): number =>
      expected.edges.find((edge) => edge.client === 'frontend' && edge.server === server)?.calls ?? 0;
    assert.equal(calls('customer'), requests);
    assert.equal(calls('driver'), requests);
    assert.ok(calls('route') >= requests, `${calls('route')} calls of route`);
  });
});

async function waitUntilItAnswers(url: URL): Promise<void> {
  await poll(async () => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    await answer?.arrayBuffer();
    return answer?.ok ? true : null;
  }, `${url} did not answer`);
}

/** A trace is complete when every dispatch has the spans of its customer and its driver, and its root. */
async function readUntilComplete(jaeger: URL, started: number): Promise<readonly Span[]> {
  const source = await openSource(`jaeger=${jaeger.href}`);
  const query = {
    service: 'frontend',
    startTimeMin: started - 1_000,
    startTimeMax: Date.now() + 60_000,
    limit: 200,
  };
  try {
    return await poll(async () => {
      const spans = await source.searchTraces(query);
      const count = (service: string, kind: Span['kind']): number =>
        spans.filter(
          (span) =>
            span.serviceName === service && span.kind === kind && /dispatch|customer|Find/.test(span.name),
        ).length;
      const dispatched = spans.filter(
        (span) =>
          span.serviceName === 'frontend' && span.kind === 'SERVER' && span.name.includes('/dispatch'),
      ).length;
      const isComplete =
        dispatched === requests &&
        count('customer', 'SERVER') === requests &&
        count('driver', 'SERVER') === requests;
      return isComplete ? spans : null;
    }, 'the traces of HotROD did not arrive whole');
  } finally {
    await source.close();
  }
}

/** Calls `ask` in short, growing intervals until it resolves with an answer. */
async function poll<Answer>(ask: () => Promise<Answer | null>, otherwise: string): Promise<Answer> {
  const deadline = Date.now() + deadlineMs;
  for (let pause = 100; Date.now() < deadline; pause = Math.min(pause * 1.5, 2_000)) {
    const answer = await ask();
    if (answer !== null) return answer;
    await delay(pause);
  }
  return assert.fail(`${otherwise} within ${deadlineMs} ms`);
}
