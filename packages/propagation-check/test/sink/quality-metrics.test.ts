import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { type CallVerdict, EdgeCounters } from '../../src/sink/edge-counters.ts';
import { renderQualityMetrics } from '../../src/sink/quality-metrics.ts';

const example = z.strictObject({ traceID: z.string(), spanIDs: z.array(z.string()).optional() });
const count = z.number().int().nonnegative();

/** Relative to the base of the UI; the sink serves the page. */
const link = z.string().regex(/^api\/quality-metrics\?finding=[\w-]+$/);

/**
 * The shape that Jaeger's UI reads, and the backend's types. Sources: jaeger-ui, `packages/jaeger-ui/src/components`: `QualityMetrics/types.ts`,
 * `common/ExamplesLink.tsx` and `common/DetailsCard/types.tsx`; jaeger, `cmd/query/app/qualitymetrics/data_types.go`, whose scores are whole
 * numbers. `QualityMetrics/index.tsx` takes the names of metrics and the keys of scores for React's keys, `MetricCard.tsx` divides by passes
 * and failures.
 */
const shape = z.strictObject({
  traceQualityDocumentationLink: link,
  bannerText: z.strictObject({ value: z.string(), styling: z.record(z.string(), z.string()) }).optional(),
  scores: z.array(z.strictObject({ key: z.string(), label: z.string(), max: count, value: count })),
  metrics: z.array(
    z.strictObject({
      ...{
        name: z.string(),
        category: z.string(),
        description: z.string(),
        metricDocumentationLink: link,
      },
      ...{ metricWeight: z.number(), passCount: count, passExamples: z.array(example).optional() },
      ...{ failureCount: count, failureExamples: z.array(example).optional() },
      ...{ exemptionCount: count.optional(), exemptionExamples: z.array(example).optional() },
      details: z
        .array(
          z.strictObject({
            ...{ description: z.string().optional(), header: z.string().optional() },
            columns: z.array(z.strictObject({ key: z.string(), label: z.string().optional() })),
            rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
          }),
        )
        .optional(),
    }),
  ),
});

function call(client: string, server: string, verdict: CallVerdict['verdict'], traceId: string): CallVerdict {
  const cause = verdict === 'intact' ? '' : 'header-stripped';
  return { client, server, verdict, cause, example: { traceId, spanIds: ['1', '2'] } };
}

function countCalls(): EdgeCounters {
  const counters = new EdgeCounters(100);
  counters.count(call('web', 'orders', 'intact', 'a'), 199);
  counters.count(call('web', 'orders', 'broken', 'b'), 1);
  counters.count(call('web', 'orders', 'undecided', 'c'), 7);
  counters.count(call('orders', 'stock', 'intact', 'd'), 10);
  counters.count(call('orders', '10.0.0.1:80', 'undecided', 'e'), 10);
  return counters;
}

test('scores and examples of a service, in the shape that the page reads', () => {
  const read = shape.parse(JSON.parse(JSON.stringify(renderQualityMetrics('orders', countCalls().list()))));
  // One broken call of 200 is not 100.
  assert.deepEqual(
    read.scores.map(({ key, value }) => [key, value]),
    [
      ['received', 99],
      ['made', 100],
    ],
  );
  const keys = new Set(read.scores.map(({ key }) => key));
  assert.ok(read.metrics.every(({ category }) => keys.has(category)));
  const [first, second, ...others] = read.metrics;
  assert.equal(first?.name, 'web → orders');
  assert.deepEqual([first.passCount, first.failureCount, first.exemptionCount], [199, 1, 7]);
  assert.deepEqual(first.failureExamples, [{ traceID: 'b', spanIDs: ['1', '2'] }]);
  assert.deepEqual(first.details?.[0]?.rows[0], { cause: 'header-stripped', verdict: 'broken', calls: 1 });
  assert.equal(first.metricDocumentationLink, 'api/quality-metrics?finding=header-stripped');
  assert.equal(second?.name, 'orders → stock');
  assert.equal(second.metricDocumentationLink, read.traceQualityDocumentationLink);
  // The page divides by passes and failures.
  assert.deepEqual(others, []);
});

test('names of metrics are keys of the page: a service that calls itself has one of that edge', () => {
  const counters = countCalls();
  counters.count(call('orders', 'orders', 'intact', 'f'), 3);
  const { metrics } = shape.parse(renderQualityMetrics('orders', counters.list()));
  const names = metrics.map(({ name }) => name);
  assert.ok(names.includes('orders → orders'));
  assert.deepEqual([...new Set(names)], names);
});

test('a service of which no call was judged has no scores, and the page says so', () => {
  const read = shape.parse(JSON.parse(JSON.stringify(renderQualityMetrics('mail', countCalls().list()))));
  assert.deepEqual([read.scores, read.metrics], [[], []]);
  assert.match(read.bannerText?.value ?? '', /No call of mail/);
});
