import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import { spanId, traceId, traceparent } from '../tap/support.ts';

const ids = { traceId, spanId };
const grpcTraceBin = Buffer.from(`0000${traceId}01${spanId}0201`, 'hex').toString('base64');

function readOne(...fields: readonly (readonly [string, string])[]): unknown {
  const { contexts } = readWireContext(fields.map(([name, value]) => ({ name, value })));
  assert.equal(contexts.length, 1);
  return contexts[0];
}

test('keeps propagation headers as they are on the wire and no other header', () => {
  const fields = [
    { name: 'Authorization', value: 'Bearer secret' },
    { name: 'TraceParent', value: traceparent },
    { name: 'cookie', value: 'secret' },
    { name: 'tracestate', value: 'a=1' },
    { name: 'TraceState', value: 'b=2' },
    { name: 'Baggage', value: 'hello=world' },
    { name: 'uberctx-hello', value: 'world' },
    { name: 'X-B3-Sampled', value: '1' },
    { name: 'x-request-id', value: 'secret' },
  ];
  assert.deepEqual(readWireContext(fields).headers, [fields[1], ...fields.slice(3, 8)]);
});

test('reads every format', () => {
  const valid = { state: 'valid', ...ids };
  assert.deepEqual(readOne(['traceparent', traceparent]), {
    format: 'tracecontext',
    ...valid,
    sampled: true,
  });
  assert.deepEqual(readOne(['b3', `${traceId}-${spanId}-0-${spanId}`]), {
    format: 'b3',
    ...valid,
    sampled: false,
  });
  assert.deepEqual(readOne(['b3', `${traceId}-${spanId}`]), { format: 'b3', ...valid, sampled: null });
  assert.deepEqual(
    readOne(['X-B3-TraceId', traceId.toUpperCase()], ['X-B3-SpanId', spanId], ['X-B3-Sampled', '1']),
    {
      format: 'b3multi',
      ...valid,
      sampled: true,
    },
  );
  assert.deepEqual(readOne(['uber-trace-id', `${traceId}%3A${spanId}%3A0%3A3`]), {
    format: 'jaeger',
    ...valid,
    sampled: true,
  });
  assert.deepEqual(
    readOne([
      'X-Amzn-Trace-Id',
      `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=0`,
    ]),
    { format: 'xray', ...valid, sampled: false },
  );
  assert.deepEqual(readOne(['grpc-trace-bin', grpcTraceBin]), {
    format: 'grpc-trace-bin',
    ...valid,
    sampled: true,
  });
});

test('reads the formats of vendors', () => {
  const valid = { state: 'valid', ...ids };
  const decimal = (hex: string) => BigInt(`0x${hex}`).toString();
  assert.deepEqual(
    readOne(
      ['x-datadog-trace-id', decimal(traceId.slice(16))],
      ['x-datadog-parent-id', decimal(spanId)],
      ['x-datadog-sampling-priority', '-1'],
      ['x-datadog-tags', `_dd.p.dm=-1,_dd.p.tid=${traceId.slice(0, 16)}`],
    ),
    { format: 'datadog', ...valid, sampled: false },
  );
  assert.deepEqual(readOne(['sentry-trace', `${traceId}-${spanId}-1`]), {
    format: 'sentry',
    ...valid,
    sampled: true,
  });
  assert.deepEqual(readOne(['X-Cloud-Trace-Context', `${traceId}/${decimal(spanId)};o=1`]), {
    format: 'gcp',
    ...valid,
    sampled: true,
  });
  assert.deepEqual(readOne(['elastic-apm-traceparent', traceparent]), {
    format: 'elastic',
    ...valid,
    sampled: true,
  });
  for (const [name, format] of [
    ['sw8', 'skywalking'],
    ['newrelic', 'newrelic'],
    ['Request-Id', 'request-id'],
  ] as const) {
    const none = { traceId: null, spanId: null, sampled: null };
    assert.deepEqual(readOne([name, 'eyJ2IjpbMCwxXX0=']), { format, state: 'valid', ...none });
  }
});

test('what a format leaves out is null, and short ids are padded or kept as 64 bits', () => {
  assert.deepEqual(readOne(['b3', '0']), {
    format: 'b3',
    state: 'valid',
    traceId: null,
    spanId: null,
    sampled: false,
  });
  assert.deepEqual(readOne(['x-amzn-trace-id', `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)}`]), {
    format: 'xray',
    state: 'valid',
    traceId,
    spanId: null,
    sampled: null,
  });
  assert.deepEqual(readOne(['uber-trace-id', 'abc:1:0:0']), {
    format: 'jaeger',
    state: 'valid',
    traceId: '0000000000000abc',
    spanId: '0000000000000001',
    sampled: false,
  });
});

test('reports malformed and duplicated headers', () => {
  assert.deepEqual(readOne(['traceparent', `ff${traceparent.slice(2)}`]), {
    format: 'tracecontext',
    state: 'malformed',
    reason: 'version-ff',
  });
  for (const [name, value] of [
    ['b3', traceId],
    ['x-b3-traceid', traceId],
    ['uber-trace-id', `${traceId}-${spanId}`],
    ['uber-trace-id', `0:${spanId}:0:1`],
    ['x-amzn-trace-id', 'Self=1'],
    ['grpc-trace-bin', grpcTraceBin.slice(4)],
    ['grpc-trace-bin', '****'],
    ['x-datadog-trace-id', '1'],
    ['x-datadog-trace-id', 'ff'],
    ['sentry-trace', traceId],
    ['x-cloud-trace-context', `${traceId}/ff`],
    ['elastic-apm-traceparent', traceId],
  ] as const) {
    const read = readOne([name, value]);
    assert.ok(typeof read === 'object' && read !== null && 'state' in read, name);
    assert.equal(read.state, 'malformed', `${name}: ${value}`);
  }
  assert.deepEqual(readOne(['traceparent', traceparent], ['Traceparent', traceparent]), {
    format: 'tracecontext',
    state: 'duplicated',
    count: 2,
  });
  assert.deepEqual(readOne(['traceparent', `${traceparent},${traceparent}`]), {
    format: 'tracecontext',
    state: 'duplicated',
    count: 2,
  });
});

test('reads all formats that are present, the standard first', () => {
  const { contexts } = readWireContext([
    { name: 'b3', value: `${traceId}-${spanId}-1` },
    { name: 'traceparent', value: traceparent },
  ]);
  assert.deepEqual(
    contexts.map(({ format }) => format),
    ['tracecontext', 'b3'],
  );
});

test('reads baggage of several headers, decoded, without properties', () => {
  const { baggage } = readWireContext([
    { name: 'baggage', value: 'hello=w%C3%B6rld ; p=1 , bad, =x, a=b=c,broken=%zz' },
    { name: 'Baggage', value: 'hello=again,__proto__=1' },
  ]);
  assert.deepEqual(baggage, [
    { key: 'hello', value: 'wörld' },
    { key: 'a', value: 'b=c' },
    { key: 'broken', value: '%zz' },
    { key: 'hello', value: 'again' },
    { key: '__proto__', value: '1' },
  ]);
});
