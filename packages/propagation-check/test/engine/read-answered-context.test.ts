import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAnsweredContext } from '../../src/headers/read-answered-context.ts';
import { spanId, traceId, traceparent } from '../tap/support.ts';

const span = { traceId, spanId, sampled: true };
const timing = `traceparent;desc="${traceparent}"`;

describe('readAnsweredContext', () => {
  test('reads traceresponse, and keeps no other header', () => {
    const answered = readAnsweredContext([
      { name: 'Set-Cookie', value: 'secret' },
      { name: 'TraceResponse', value: traceparent },
    ]);
    assert.deepEqual(answered, { headers: [{ name: 'TraceResponse', value: traceparent }], span });
  });

  test('reads the sampled flag', () => {
    const value = `00-${traceId}-${spanId}-00`;
    assert.equal(readAnsweredContext([{ name: 'traceresponse', value }]).span?.sampled, false);
  });

  for (const [what, value] of [
    ['alone', timing],
    ['between others', `db;dur=53, ${timing};dur=0, cache;desc="hit, fresh"`],
    ['after a description with a comma and a quote', `a;desc="x, \\"y\\", traceparent;desc=z",${timing}`],
    ['without quotes', `traceparent;desc=${traceparent}`],
    ['as Level 3 calls it', `trace;desc=${traceparent}`],
    ['in other letter case', `TraceParent ; DESC = "${traceparent}"`],
  ] as const) {
    test(`reads the entry traceparent of Server-Timing: ${what}`, () => {
      const answered = readAnsweredContext([{ name: 'server-timing', value }]);
      assert.deepEqual(answered.span, span);
      assert.equal(answered.headers.length, 1);
      assert.match(answered.headers[0]?.value ?? '', /^trace(?:parent)?\b/i);
    });
  }

  for (const [what, fields] of [
    ['no header', []],
    ['other timings', [{ name: 'Server-Timing', value: 'db;dur=53, miss' }]],
    ['a malformed value', [{ name: 'traceresponse', value: `00-${traceId}--01` }]],
    [
      'two different spans',
      [
        { name: 'traceresponse', value: traceparent },
        { name: 'traceresponse', value: traceparent.replace(spanId, '1'.repeat(16)) },
      ],
    ],
  ] as const) {
    test(`names no span: ${what}`, () => assert.equal(readAnsweredContext(fields).span, null));
  }

  test('names the span that both headers agree on', () => {
    const fields = [
      { name: 'traceresponse', value: traceparent },
      { name: 'Server-Timing', value: timing },
    ];
    assert.deepEqual(readAnsweredContext(fields).span, span);
  });
});
