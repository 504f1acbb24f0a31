import assert from 'node:assert/strict';
import { it } from 'node:test';
import { spanId, traceId } from 'propagation-check/test';
import { renderAssertionJson } from '../../assertion/render-json.ts';
import { healthyAnswer, splitSpans as split, splitAnswer } from './answers.ts';
import { makeCheck, makeRun, makeSilent } from './make-run.ts';

it('has a stable shape', () => {
  const run = makeRun([makeCheck(splitAnswer(null), split), makeSilent('gone')]);
  const document = JSON.parse(renderAssertionJson(run, { jaegerUi: 'http://localhost:16686' }));
  const { statements, traces, result, ...rest } = document;
  assert.deepEqual(rest, {
    version: 1,
    verdict: 'broken',
    mode: 'auto',
    source: 'jaeger=http://localhost:16686',
    requests: 2,
    intact: 0,
    broken: 1,
    unknown: 1,
  });
  assert.deepEqual(statements[1], {
    number: 2,
    title: 'A and B name the same trace id',
    passed: 0,
    failed: 1,
    skipped: 1,
  });
  assert.equal(result.verdict, 'broken');
  assert.equal(result.findings[0].confidence, 'undecided');
  assert.match(result.findings[0].fix, /^if header-not-sent: Give the caller a propagator/);
  const [broken, silent] = traces;
  assert.deepEqual(Object.keys(broken), Object.keys(silent));
  assert.deepEqual(
    [broken.verdict, broken.traceId, broken.serviceBTraceId, broken.pointsAt, broken.silence],
    ['broken', traceId('a'), traceId('b'), 2, null],
  );
  assert.equal(broken.url, `http://localhost:16686/trace/${traceId('a')}`);
  assert.deepEqual(broken.spans[2], {
    traceId: traceId('b'),
    spanId: spanId('b1'),
    parentSpanId: null,
    kind: 'SERVER',
    serviceName: 'service-b',
    name: 'GET /work',
    startTimeUnixNano: '1700000000019000000',
    endTimeUnixNano: '1700000000027000000',
  });
  assert.deepEqual(
    [silent.traceId, silent.url, silent.silence],
    [null, null, { hop: 'service A', reason: 'gone' }],
  );
});

it('has no result without spans and no link without Jaeger', () => {
  const silent = JSON.parse(renderAssertionJson(makeRun([makeSilent('gone')]), { jaegerUi: null }));
  assert.equal(silent.result, null);
  const intact = JSON.parse(
    renderAssertionJson(makeRun([makeCheck(healthyAnswer, split)]), { jaegerUi: null }),
  );
  assert.equal(intact.traces[0].url, null);
});
