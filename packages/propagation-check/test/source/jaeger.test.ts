import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { createJaegerSource } from '../../src/source/jaeger.ts';
import { readFixture } from '../decode/fixture.ts';
import { startStore } from './start-store.ts';

const v1 = JSON.parse(Buffer.from(readFixture('links.jaeger-v1.json')).toString());
const v3 = JSON.parse(Buffer.from(readFixture('links.jaeger-v3.json')).toString());
const spans = decodeBytes(readFixture('links.jaeger-v3.json')).spans;
const traceId = spans[0]?.traceId ?? '';
const html = '<!doctype html><title>UI</title>';
const notFound = { error: { httpCode: 404, message: 'No traces found' } };

const query = { service: 'a b', startTimeMin: 1_700_000_000_000, startTimeMax: 1_700_000_060_000, limit: 7 };

test('a trace is read raw by API v3', async (t) => {
  const { source, origin } = await startStore(t, createJaegerSource, (path, params) => {
    assert.equal(path, `/api/v3/traces/${traceId}`);
    assert.deepEqual(Object.fromEntries(params), { rawTraces: 'true', raw_traces: 'true' });
    return [200, v3];
  });
  assert.equal(source.name, `jaeger=${origin}`);
  assert.deepEqual(await source.readTrace(traceId.toUpperCase()), spans);
});

test('a search sends every parameter under its old and new name', async (t) => {
  const { source } = await startStore(t, createJaegerSource, (path, params) => {
    assert.equal(path, '/api/v3/traces');
    const [min, max] = ['2023-11-14T22:13:20.000Z', '2023-11-14T22:14:20.000Z'];
    assert.deepEqual(Object.fromEntries(params), {
      'query.serviceName': 'a b',
      'query.service_name': 'a b',
      'query.startTimeMin': min,
      'query.start_time_min': min,
      'query.startTimeMax': max,
      'query.start_time_max': max,
      'query.searchDepth': '7',
      'query.search_depth': '7',
      'query.num_traces': '7',
      'query.rawTraces': 'true',
      'query.raw_traces': 'true',
    });
    return [200, v3];
  });
  assert.deepEqual(await source.searchTraces(query), spans);
});

test('a streamed answer has one document on each line', async (t) => {
  const line = JSON.stringify(v3);
  const { source } = await startStore(t, createJaegerSource, () => [200, `${line}\n${line}\n`]);
  assert.equal((await source.searchTraces(query)).length, spans.length * 2);
});

test('a 404 of API v3 means no spans, and v1 is not tried', async (t) => {
  const { source, asked } = await startStore(t, createJaegerSource, () => [404, notFound]);
  assert.deepEqual(await source.readTrace(traceId), []);
  assert.deepEqual(await source.searchTraces(query), []);
  assert.equal(asked.length, 2);
});

const withoutV3: readonly (readonly [string, number, unknown])[] = [
  ['answers 404 in plain text', 404, '404 page not found'],
  ['answers the UI’s page', 200, html],
];

for (const [how, status, body] of withoutV3) {
  test(`v1 is used and remembered if v3 is missing and the server ${how}`, async (t) => {
    const { source, asked } = await startStore(t, createJaegerSource, (path, params) => {
      if (path.startsWith('/api/v3/')) return [status, body];
      assert.equal(params.get('raw'), 'true');
      if (path === '/api/traces') {
        assert.deepEqual(
          [params.get('service'), params.get('start'), params.get('end'), params.get('limit')],
          ['a b', '1700000000000000', '1700000060000000', '7'],
        );
      }
      return [200, v1];
    });
    assert.equal((await source.readTrace(traceId)).length, spans.length);
    assert.equal((await source.searchTraces(query)).length, spans.length);
    assert.deepEqual(asked, [`/api/v3/traces/${traceId}`, `/api/traces/${traceId}`, '/api/traces']);
  });
}

test('a 404 of v1 means no spans', async (t) => {
  const { source } = await startStore(t, createJaegerSource, (path) =>
    path.startsWith('/api/v3/')
      ? [200, html]
      : [404, { data: null, errors: [{ code: 404, msg: 'trace not found' }] }],
  );
  assert.deepEqual(await source.readTrace(traceId), []);
});

const strangers: readonly (readonly [string, number, unknown, RegExp])[] = [
  ['a web page', 200, html, /answered a web page, not Jaeger's API; use the/],
  ['a text', 404, 'nothing here', /answered status 404 and “nothing here”, not Jaeger's API/],
  ['a gateway’s 404', 404, { message: 'no route' }, /answered status 404 and .*not Jaeger's API/],
  [
    'Fastify’s 404',
    404,
    { message: 'Route GET:/x not found', error: 'Not Found', statusCode: 404 },
    /answered status 404 and .*not Jaeger's API/,
  ],
  ['another error object', 404, { error: { code: 404, status: 'NOT_FOUND' } }, /not Jaeger's API/],
  ['errors that are no list', 404, { errors: { id: 'unknown' } }, /not Jaeger's API/],
  ['errors of GraphQL', 404, { errors: [{ message: 'not found' }] }, /not Jaeger's API/],
  ['nothing at all', 200, '', /cannot be read: byte 0/],
  ['an empty object for everything', 200, {}, /answered status 200 and “\{\}”, not Jaeger's API/],
  ['an empty list for everything', 200, [], /answered status 200 and “\[\]”, not Jaeger's API/],
  ['no data, in another envelope', 200, { data: [] }, /answered status 200 and .*not Jaeger's API/],
];

for (const [name, status, body, message] of strangers) {
  test(`a server that is not Jaeger is an error with its answer: ${name}`, async (t) => {
    const { source, origin } = await startStore(t, createJaegerSource, () => [status, body]);
    await assert.rejects(source.searchTraces(query), { name: 'SourceError', message });
    await assert.rejects(source.readTrace(traceId), (error: Error) => {
      assert.match(error.message, message);
      return error.message.startsWith(`jaeger=${origin}: /api/traces/${traceId} answered `);
    });
  });
}

test('a search finds nothing in an empty stream of an old gateway or an empty list of v1', async (t) => {
  const { source } = await startStore(t, createJaegerSource, (path) =>
    path.startsWith('/api/v3/')
      ? [200, '']
      : [200, { data: [], total: 0, limit: 0, offset: 0, errors: null }],
  );
  assert.deepEqual(await source.searchTraces(query), []);
});

test('a 404 with the gRPC code of older gateways means no spans', async (t) => {
  const error = { grpcCode: 5, httpCode: 404, message: 'trace not found', httpStatus: 'Not Found' };
  const { source, asked } = await startStore(t, createJaegerSource, () => [404, { error }]);
  assert.deepEqual(await source.readTrace(traceId), []);
  assert.equal(asked.length, 1);
});

test('errors of Jaeger and unreadable answers name the path', async (t) => {
  const failing = await startStore(t, createJaegerSource, () => [500, { error: { message: 'boom' } }]);
  await assert.rejects(failing.source.readTrace(traceId), {
    message: /\/api\/v3\/traces\/\w+ answered 500: “.*boom/,
  });
  const cut = await startStore(t, createJaegerSource, () => [200, JSON.stringify(v3).slice(0, -9)]);
  await assert.rejects(cut.source.readTrace(traceId), {
    message: /cannot be read: byte \d+: the JSON ends early/,
  });
  const wrong = await startStore(t, createJaegerSource, () => [
    200,
    { result: { resourceSpans: [{ scopeSpans: [{ spans: [{}] }] }] } },
  ]);
  await assert.rejects(wrong.source.readTrace(traceId), {
    name: 'SourceError',
    message:
      /cannot be read: result\.resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId: expected string/,
  });
});

test('a page after good answers is an error, not a change of API', async (t) => {
  const answers: unknown[] = [v3, html];
  const { source, asked } = await startStore(t, createJaegerSource, () => [200, answers.shift()]);
  await source.readTrace(traceId);
  await assert.rejects(source.readTrace(traceId), { message: /answered a web page/ });
  assert.equal(asked.length, 2);
});

test('an invalid trace id is never sent', async (t) => {
  const { source, asked } = await startStore(t, createJaegerSource, () => [200, v3]);
  for (const id of ['', '../services', 'xyz', '0'.repeat(33)]) {
    await assert.rejects(source.readTrace(id), {
      name: 'SourceError',
      message: /is not a trace id; it has 32 hex/,
    });
  }
  assert.deepEqual(asked, []);
});

for (const [api, services] of [
  ['v3', { services: ['a', 'b'] }],
  ['v1', { data: ['a', 'b'], total: 2, limit: 0, offset: 0, errors: null }],
] as const) {
  test(`a search for any service searches each service by API ${api}, and returns each trace once`, async (t) => {
    const { source, asked } = await startStore(t, createJaegerSource, (path, params) => {
      if (api === 'v1' && path.startsWith('/api/v3/')) return [404, '404 page not found'];
      if (path.endsWith('/services')) return [200, services];
      assert.notEqual(params.get(api === 'v3' ? 'query.service_name' : 'service'), 'null');
      return [200, api === 'v3' ? v3 : v1];
    });
    await source.readTrace(traceId);
    const found = await source.searchTraces({ ...query, service: null });
    assert.equal(found.length, spans.length);
    const root = api === 'v3' ? '/api/v3' : '/api';
    assert.deepEqual(asked.slice(-3), [`${root}/services`, `${root}/traces`, `${root}/traces`]);
  });
}

test('a search for any of too many services searches the likeliest and says so, and an invalid list is an error', async (t) => {
  const many = Array.from({ length: 30 }, (_, index) => `service-${index}`);
  const searched: string[] = [];
  const { source } = await startStore(t, createJaegerSource, (path, params) => {
    if (path.endsWith('/services')) return [200, { services: [...many, 'shop-orders', 'payments'] }];
    searched.push(params.get('query.service_name') ?? '');
    return [200, v3];
  });
  const likely = ['payments', 'orders'];
  for (const _ of ['a wait looks again', 'and says so once'])
    assert.equal((await source.searchTraces({ ...query, service: null, likely })).length, spans.length);
  assert.deepEqual(searched.slice(0, 20), ['payments', 'shop-orders', ...many.slice(0, 18)]);
  assert.deepEqual(source.complaints, [
    `${source.name} has 32 services, and the other sides of calls were searched for in 20 of them: payments, shop-orders, service-0 and 17 more; name the called service with --expect "CALLER -> CALLED"`,
  ]);
  const other = await startStore(t, createJaegerSource, () => [200, { services: 'all' }]);
  await assert.rejects(other.source.searchTraces({ ...query, service: null }), {
    name: 'SourceError',
    message: /\/api\/v3\/services answered something that cannot be read/,
  });
});

test('a list of services from another program is refused', async (t) => {
  for (const body of [{ status: 'ok' }, [], 'hello']) {
    const { source } = await startStore(t, createJaegerSource, () => [200, body]);
    await assert.rejects(source.listServices?.() ?? Promise.resolve(), {
      name: 'SourceError',
      message: /not Jaeger's API; use|cannot be read: .*; is this Jaeger, and its query port \(16686\)\?$/,
    });
  }
  const { source } = await startStore(t, createJaegerSource, () => [200, {}]);
  assert.deepEqual(await source.listServices?.(), []);
});

test('an error of Jaeger itself, instead of its services, is named', async (t) => {
  for (const [version, error] of [
    ['v3', { error: { httpCode: 500, message: 'storage' } }],
    ['v1', { data: null, errors: [{ code: 500, msg: 'storage' }] }],
  ] as const) {
    const { source } = await startStore(t, createJaegerSource, (path) =>
      path.startsWith('/api/v3') === (version === 'v3') ? [500, error] : [404, 'not found'],
    );
    await assert.rejects(source.listServices?.() ?? Promise.resolve(), {
      name: 'SourceError',
      message: /\/services answered 500: \u201c.*storage.*\u201d$/,
    });
  }
});

test('an answer of Zipkin v1 is refused by name', async (t) => {
  const zipkinV1 = JSON.parse(Buffer.from(readFixture('zipkin-v1.json')).toString());
  for (const version of ['v3', 'v1']) {
    const { source } = await startStore(t, createJaegerSource, (path) =>
      path.startsWith('/api/v3') === (version === 'v3') ? [200, zipkinV1] : [404, 'not found'],
    );
    await assert.rejects(
      source.readTrace(traceId),
      /cannot be read: \[0\]\.binaryAnnotations: this is Zipkin v1 JSON/,
      version,
    );
  }
});
