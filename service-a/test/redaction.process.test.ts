/**
 * Real service A and real service B. Requests that succeed, that no route answers and that fail have secrets wherever a caller can put them.
 * None of them may be in a span, an export or a log line of either service.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collectSpans, type RawHeader, sendRaw, startService } from 'service-kit/testing';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A different secret for each place, so that a leak shows where it came from. */
const canaries = {
  query: 'canary-query',
  fragment: 'canary-fragment',
  user: 'canary-user',
  password: 'canary-password',
  authorization: 'canary-authorization',
  'proxy-authorization': 'canary-proxy',
  cookie: 'canary-cookie',
  'x-api-key': 'canary-key',
  referer: 'canary-referer',
  forwarded: 'canary-forwarded',
  'x-forwarded-host': 'canary-host',
  'x-forwarded-for': 'canary-address',
  'x-forwarded-proto': 'canary-proto',
  'x-real-ip': 'canary-real',
  baggage: 'canary-baggage',
  'baggage property': 'canary-property',
  hello: 'canary-hello',
  tracestate: 'canary-tracestate',
} as const;

const headers: readonly RawHeader[] = [
  ['authorization', `Bearer ${canaries.authorization}`],
  ['proxy-authorization', `Basic ${canaries['proxy-authorization']}`],
  ['cookie', `session=${canaries.cookie}`],
  ['x-api-key', canaries['x-api-key']],
  ['referer', `http://localhost/?token=${canaries.referer}`],
  ['forwarded', `for=${canaries.forwarded}`],
  ['x-forwarded-for', canaries['x-forwarded-for']],
  ['x-forwarded-host', canaries['x-forwarded-host']],
  ['x-forwarded-proto', canaries['x-forwarded-proto']],
  ['x-real-ip', canaries['x-real-ip']],
  ['traceparent', traceparent],
  ['baggage', `user=${canaries.baggage};${canaries['baggage property']}`],
];
const query = `?token=${canaries.query}&sig=${canaries.query}`;

function targets(path: string): readonly string[] {
  return [
    `${path}${query}`,
    `/no-such-route${query}`,
    `/%c0${query}`,
    `//${path}${query}#${canaries.fragment}`,
    `http://${canaries.user}:${canaries.password}@127.0.0.1${path}${query}`,
    `http://${canaries.user}:${canaries.password}@127.0.0.1/no-such-route${query}`,
    `/healthz${query}`,
  ];
}

/** Only for an untrusted caller: a trusted caller's baggage is sent to B, and its tracestate is part of the span (OTLP `trace_state`). */
const ofUntrusted: readonly RawHeader[] = [
  ['baggage', `hello=${canaries.hello}`],
  ['tracestate', `vendor=${canaries.tracestate}`],
];

const cases = [
  { mode: 'auto', trustOfA: 'never', trustOfB: 'always' },
  { mode: 'manual', trustOfA: 'always', trustOfB: 'never' },
] as const;

for (const { mode, trustOfA, trustOfB } of cases) {
  test(`no secret in spans and logs, with PROPAGATION=${mode}`, async () => {
    using collector = await collectSpans();
    const env = {
      PROPAGATION: mode,
      LOG_LEVEL: 'trace',
      LOG_SPANS: 'true',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    };
    await using serviceB = await startService('service-b', { ...env, TRUST_INCOMING: trustOfB });
    await using serviceA = await startService('service-a', {
      ...env,
      TRUST_INCOMING: trustOfA,
      SERVICE_B_URL: serviceB.url,
    });

    const sendTo = async (url: string, trust: 'never' | 'always', target: string) => {
      const sent = trust === 'always' ? headers : [...headers, ...ofUntrusted];
      return (await sendRaw(url, target, sent)).status;
    };
    const statuses = [];
    for (const target of targets('/call-b')) statuses.push(await sendTo(serviceA.url, trustOfA, target));
    for (const target of targets('/work')) statuses.push(await sendTo(serviceB.url, trustOfB, target));
    assert.deepEqual(statuses, expectedStatuses);
    await serviceB.stop();
    assert.equal(await sendTo(serviceA.url, trustOfA, `/call-b${query}`), 502);
    await serviceA.stop();

    const spans = JSON.stringify(collector.spans);
    assert.match(spans, /"http.request.header.baggage".{1,60}user=REDACTED/);
    assertNoCanary('spans', spans);
    for (const [name, { text }] of [
      ['service A', serviceA],
      ['service B', serviceB],
    ] as const) {
      assert.match(text.stdout, /request completed/);
      assertNoCanary(`stdout of ${name}`, text.stdout);
      assertNoCanary(`stderr of ${name}`, text.stderr);
    }
  });
}

const expectedStatuses = [200, 404, 400, 404, 200, 404, 200, 200, 404, 400, 404, 200, 404, 200];

function assertNoCanary(where: string, text: string): void {
  const leaks = text
    .split(/\n|(?<=\}),/)
    .filter((line) => line.includes('canary'))
    .map((line) => line.slice(0, 400));
  assert.deepEqual(leaks, [], `secrets in ${where}`);
}

describe('the test itself', () => {
  test('knows each secret by a name that is found', () => {
    for (const value of Object.values(canaries)) {
      assert.throws(() => assertNoCanary('a line', `{"a":"${value}"}`));
    }
  });
});
