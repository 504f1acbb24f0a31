import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, test } from 'node:test';
import { CLIENT, collectSpans, ERROR, fetchJson, listen, SERVER, startService } from 'service-kit/testing';

/** Ways in which service B can fail. `clientSpanSeesIt` is false when the error shows only after `fetch` has ended its span. */
const cases: readonly {
  readonly name: string;
  readonly answer: RequestListener | 'nobody listens';
  readonly status: number;
  readonly error: string;
  readonly message: RegExp;
  readonly clientSpanSeesIt?: false;
}[] = [
  {
    name: 'closes the connection',
    answer: (request) => request.socket.destroy(),
    status: 502,
    error: 'service_b_unreachable',
    message: /\/work is unreachable: other side closed/,
  },
  {
    name: 'never answers',
    answer: () => {},
    status: 504,
    error: 'service_b_timeout',
    message: /\/work did not answer within 2000 ms/,
  },
  {
    name: 'never finishes its answer',
    answer: (_request, response) => {
      response.setHeader('content-type', 'application/json').write('{');
    },
    status: 504,
    error: 'service_b_timeout',
    message: /\/work did not answer within 2000 ms/,
  },
  {
    name: 'fails',
    answer: (_request, response) => response.writeHead(500).end('{}'),
    status: 502,
    error: 'service_b_bad_answer',
    message: /\/work answered with status 500 instead of 200/,
  },
  {
    name: 'redirects',
    answer: (_request, response) => response.writeHead(302, { location: '/' }).end(),
    status: 502,
    error: 'service_b_bad_answer',
    message: /\/work answered with status 302 instead of 200/,
  },
  {
    name: 'answers with HTML',
    answer: (_request, response) => response.setHeader('content-type', 'text/html').end('<p>'),
    status: 502,
    error: 'service_b_bad_answer',
    message: /\/work answered with content type "text\/html" instead of application\/json/,
  },
  {
    name: 'answers without a content type',
    answer: (_request, response) => response.end('{}'),
    status: 502,
    error: 'service_b_bad_answer',
    message: /\/work answered with content type null instead of application\/json/,
  },
  {
    name: 'answers with something that is not JSON',
    answer: (_request, response) =>
      response.setHeader('content-type', 'application/json').end('{"trace_id":'),
    status: 502,
    error: 'service_b_bad_answer',
    message: /\/work answered with something else than work/,
    clientSpanSeesIt: false,
  },
  {
    name: 'answers with other JSON',
    answer: (_request, response) =>
      response.setHeader('content-type', 'application/json').end('{"trace_id":1}'),
    status: 502,
    error: 'service_b_bad_answer',
    message: /\/work answered with something else than work/,
    clientSpanSeesIt: false,
  },
  // Last, because service B's address is closed for good.
  {
    name: 'is unreachable',
    answer: 'nobody listens',
    status: 502,
    error: 'service_b_unreachable',
    message: /\/work is unreachable: connect ECONNREFUSED/,
  },
];

const called = { auto: callBroken('auto'), manual: callBroken('manual') };

for (const mode of ['auto', 'manual'] as const) {
  describe(`with PROPAGATION=${mode}, when service B`, async () => {
    const { responses, spans } = await called[mode];
    for (const [index, { name, status, error, message, clientSpanSeesIt }] of cases.entries()) {
      test(name, () => {
        const response = responses[index];
        const inTrace = spans.filter(({ traceId }) => traceId === response?.body.trace_id);
        assert.deepEqual([response?.status, response?.body.error], [status, error]);
        assert.match(String(response?.body.message), message);
        assert.deepEqual(
          inTrace
            .filter(({ kind }) => kind === SERVER)
            .map((span) => [span.status.code, span.events.map((event) => event.name)]),
          [[ERROR, ['exception']]],
        );
        assert.deepEqual(
          inTrace.filter(({ kind }) => kind === CLIENT).map((span) => span.status.code === ERROR),
          [mode === 'manual' || clientSpanSeesIt !== false],
        );
      });
    }
  });
}

for (const mode of ['auto', 'manual'] as const) {
  test(`a caller that leaves takes its call to B with it, and the CLIENT span ends, with PROPAGATION=${mode}`, async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    using serviceB = await listen((_request, response) => {
      response.once('close', left.resolve);
      asked.resolve();
    });
    using collector = await collectSpans();
    await using service = await startService('service-a', {
      PROPAGATION: mode,
      SERVICE_B_URL: serviceB.url,
      SERVICE_B_TIMEOUT_MS: '600000',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    });
    const caller = new AbortController();
    const answer = assert.rejects(fetch(`${service.url}/call-b`, { signal: caller.signal }));
    await asked.promise;
    caller.abort();
    await answer;
    await left.promise;
    assert.deepEqual(await service.stop(), { code: 0, signal: null });
    for (const wanted of [SERVER, CLIENT]) {
      assert.equal(collector.spans.filter(({ kind }) => kind === wanted).length, 1);
    }
  });
}

/** One service A calls one failing service B after the other, all at the same address. */
async function callBroken(mode: 'auto' | 'manual') {
  let answer: RequestListener = () => {};
  using serviceB = await listen((request, response) => answer(request, response));
  using collector = await collectSpans();
  await using serviceA = await startService('service-a', {
    PROPAGATION: mode,
    SERVICE_B_URL: serviceB.url,
    SERVICE_B_TIMEOUT_MS: '2000',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  const responses: Awaited<ReturnType<typeof fetchJson>>[] = [];
  for (const broken of cases) {
    if (broken.answer === 'nobody listens') serviceB[Symbol.dispose]();
    else answer = broken.answer;
    responses.push(await fetchJson(`${serviceA.url}/call-b`));
  }
  await serviceA.stop();
  return { responses, spans: collector.spans };
}
