import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { type CallVerdict, EdgeCounters } from '../../src/sink/edge-counters.ts';
import { renderQualityMetrics } from '../../src/sink/quality-metrics.ts';

const example = z.strictObject({ traceID: z.string(), spanIDs: z.array(z.string()).optional() });
const count = z.number().int().nonnegative();

/** Relative to the base URL of Jaeger's UI; the sink serves the page. */
const link = z.string().regex(/^api\/quality-metrics\?finding=[\w-]+$/);

/**
 * The shape that Jaeger's UI reads, with the types of its backend. Scores are whole numbers. `QualityMetrics/index.tsx` uses the names of
 * metrics and the keys of scores as React keys, and `MetricCard.tsx` divides by passes and failures.
 * Sources: jaeger-ui, `packages/jaeger-ui/src/components`: `QualityMetrics/types.ts`, `common/ExamplesLink.tsx`,
 * `common/DetailsCard/types.tsx`; jaeger, `cmd/query/app/qualitymetrics/data_types.go`.
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

test('scores and examples of a service have the shape that the page expects', () => {
  const read = shape.parse(JSON.parse(JSON.stringify(renderQualityMetrics('orders', countCalls().list()))));
  // One broken call in 200 is less than 100 %.
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
  // The page divides by passes and failures, so a metric without either must be absent.
  assert.deepEqual(others, []);
});

test('names of metrics are unique: a service that calls itself has one metric for that edge', () => {
  const counters = countCalls();
  counters.count(call('orders', 'orders', 'intact', 'f'), 3);
  const { metrics } = shape.parse(renderQualityMetrics('orders', counters.list()));
  const names = metrics.map(({ name }) => name);
  assert.ok(names.includes('orders → orders'));
  assert.deepEqual([...new Set(names)], names);
});

test('a service without a judged call has no scores, and the answer says so', () => {
  const read = shape.parse(JSON.parse(JSON.stringify(renderQualityMetrics('mail', countCalls().list()))));
  assert.deepEqual([read.scores, read.metrics], [[], []]);
  assert.match(read.bannerText?.value ?? '', /No call of mail/);
});
