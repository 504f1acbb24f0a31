import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { SceneName } from './scale-scenes.ts';

/** Far longer than a check takes on a slow, busy machine. */
const timeout = 240_000;

const answer = z.object({
  seconds: z.number(),
  result: z.object({
    verdict: z.string(),
    spans: z.number(),
    edges: z.array(z.object({ calls: z.number(), broken: z.number() })),
    findings: z.array(z.object({ id: z.string(), severity: z.string(), count: z.number() })),
  }),
});

/** Runs in a worker thread, because only a worker can be stopped while it computes. */
async function check(context: TestContext, scene: SceneName): Promise<z.infer<typeof answer>['result']> {
  const worker = new Worker(new URL('scale-worker.ts', import.meta.url), { workerData: scene });
  try {
    const [message] = await once(worker, 'message', { signal: context.signal });
    const { result, seconds } = answer.parse(message);
    context.diagnostic(`${scene}: ${result.spans} spans in ${seconds.toFixed(2)} s`);
    return result;
  } finally {
    await worker.terminate();
  }
}

test('100,000 children under one span', { timeout }, async (context) => {
  const result = await check(context, 'children');
  assert.equal(result.spans, 100_001);
  assert.equal(result.findings[0]?.id, 'missing-server');
  assert.equal(result.findings[0].count, 100_000);
});

test('100,000 SERVER spans under one CLIENT span', { timeout }, async (context) => {
  const result = await check(context, 'answers');
  assert.equal(result.verdict, 'intact');
  assert.equal(result.edges[0]?.calls, 100_000);
});

test('100,000 traces, one call in ten cut', { timeout }, async (context) => {
  const result = await check(context, 'cutCalls');
  assert.equal(result.spans, 300_000);
  assert.deepEqual(
    result.findings.map(({ id, count }) => [id, count]),
    [['split-trace', 10_000]],
  );
  assert.deepEqual(
    result.edges.map(({ calls, broken }) => [calls, broken]),
    [[100_000, 10_000]],
  );
});

test('100,000 traces, one answer in ten without a SERVER span', { timeout }, async (context) => {
  const result = await check(context, 'silentCalls');
  assert.deepEqual(
    result.findings.map(({ id, count }) => [id, count]),
    [['missing-server', 10_000]],
  );
});

test('80,000 calls, each to a path of its own, half of them without a SERVER span', {
  timeout,
}, async (context) => {
  const result = await check(context, 'silentPaths');
  assert.equal(result.spans, 120_000);
  assert.equal(result.verdict, 'intact');
});

test('40,000 calls and 40,000 requests that have nothing in common but their time', {
  timeout,
}, async (context) => {
  const result = await check(context, 'strangers');
  assert.equal(result.spans, 80_000);
  assert.equal(result.edges.length, 1);
});

test('50,000 open clients and 50,000 roots at the same time and path', { timeout }, async (context) => {
  const result = await check(context, 'crowd');
  assert.equal(result.verdict, 'broken');
  assert.equal(result.findings[0]?.id, 'split-trace');
  assert.equal(result.findings[0].count, 50_000);
});

test('100,000 calls beside one that stays open', { timeout }, async (context) => {
  const result = await check(context, 'oneLongCall');
  const split = result.findings.find(({ id }) => id === 'split-trace');
  assert.equal(split?.count, 100_000);
});

test('2,000 calls that are open at once, each to a path of its own', { timeout }, async (context) => {
  const result = await check(context, 'burst');
  const split = result.findings.find(({ id }) => id === 'split-trace');
  assert.equal(split?.count, 2_000);
});

test('a chain of 100,000 spans, each below the one before', { timeout }, async (context) => {
  const result = await check(context, 'chainOfCalls');
  assert.equal(result.verdict, 'intact');
  assert.equal(
    result.edges.reduce((sum, edge) => sum + edge.calls, 0),
    49_999,
  );
});

test('a chain of 100,000 INTERNAL spans of one service, above as many CLIENT spans', {
  timeout,
}, async (context) => {
  const result = await check(context, 'chainInside');
  assert.equal(result.edges[0]?.calls, 1_000);
  assert.equal(result.verdict, 'intact');
});

test('50,000 traces whose ids share the last 64 bits, and 50,000 orphans in a trace cut to these', {
  timeout,
}, async (context) => {
  const result = await check(context, 'cutIds');
  assert.equal(result.findings.find(({ id }) => id === 'external-parent')?.count, 50_000);
});

test('20,000 routes and 20,000 endpoints of calls that began traces', { timeout }, async (context) => {
  const result = await check(context, 'routes');
  assert.equal(result.spans, 60_000);
  assert.deepEqual(
    result.findings.map(({ id, count }) => [id, count]),
    [['context-lost-in-process', 20_000]],
  );
});

test('10,000 findings of one edge, beside 10,000 whole calls', { timeout }, async (context) => {
  const result = await check(context, 'endpoints');
  assert.equal(result.findings.filter(({ id }) => id === 'context-lost-in-process').length, 10_000);
});

test('5,000 services whose requests begin in step', { timeout }, async (context) => {
  const result = await check(context, 'inStep');
  assert.equal(result.spans, 30_000);
  assert.deepEqual(result.findings, []);
});
