/** Whose trace real service A continues, in both modes: the headers that A sends to B, its answer, and the SERVER span that it exports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collectSpans, readAttribute, SERVER, standInForB, startService } from 'service-kit/testing';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const requests: readonly Readonly<Record<string, string>>[] = [
  { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'foo=1', baggage: 'user=alice' },
  { traceparent: `00-${traceId}-${spanId}-00`, tracestate: 'foo=1', baggage: 'user=alice' },
  // A hop may set these headers to anything.
  {
    traceparent: `00-${traceId}-${spanId}-01`,
    forwarded: 'for=10.1.2.3',
    'x-forwarded-for': '10.1.2.3',
    'x-real-ip': '10.1.2.3',
  },
  { baggage: 'user=alice', tracestate: 'foo=1' },
  { b3: `${traceId}-${spanId}-1` },
  {},
];

for (const mode of ['auto', 'manual'] as const) {
  describe(`with PROPAGATION=${mode}`, { concurrency: true }, () => {
    const ownBaggage = mode === 'manual' ? 'hello=world' : undefined;

    test('a caller that is not trusted chooses nothing, and is told nothing', async () => {
      const { sent, serverSpans, answers } = await ask(mode, '10.0.0.0/8,2001:db8::/32');
      assert.equal(serverSpans.length, requests.length);
      for (const [index, span] of serverSpans.entries()) {
        assert.equal(span.parentSpanId, undefined);
        assert.equal(span.traceState, undefined);
        assert.notEqual(span.traceId, traceId);
        const { traceparent, b3 } = requests[index] ?? {};
        assert.deepEqual(
          span.links.map((link) => [link.traceId, link.spanId, link.traceState]),
          traceparent === undefined && b3 === undefined ? [] : [[traceId, spanId, undefined]],
        );
        const headers = sent[index];
        assert.match(String(headers?.traceparent), new RegExp(`^00-${span.traceId}-[0-9a-f]{16}-03$`));
        assert.match(String(headers?.b3), new RegExp(`^${span.traceId}-[0-9a-f]{16}-1$`));
        assert.deepEqual([headers?.tracestate, headers?.baggage], [undefined, ownBaggage]);
        assert.equal(readAttribute(span, 'client.address') ?? '127.0.0.1', '127.0.0.1');
      }
      assert.ok(answers.every(({ traceresponse, timing }) => traceresponse === null && timing === null));
    });

    test("a trusted caller's trace is continued, and the answer names the SERVER span, sampled or not", async () => {
      const { sent, serverSpans, answers } = await ask(mode, '10.0.0.0/8,127.0.0.1');
      // The second caller does not sample, so its SERVER span is not recorded.
      assert.deepEqual(
        serverSpans.map(({ parentSpanId, links }) => [parentSpanId, links.length]),
        [spanId, spanId, undefined, spanId, undefined].map((parent) => [parent, 0]),
      );
      const flags = sent.map(({ traceparent }) => String(traceparent).slice(-2));
      assert.deepEqual(flags, ['01', '00', '01', '03', '01', '03']);
      const state = sent.map(({ tracestate }) => tracestate);
      assert.deepEqual(state, ['foo=1', 'foo=1', ...Array(4).fill(undefined)]);
      const user = sent.map(({ baggage }) => baggage?.toString().split(',')[0]);
      assert.deepEqual(user, ['user=alice', 'user=alice', ownBaggage, 'user=alice', ownBaggage, ownBaggage]);

      const told = answers.filter(({ path }) => path === '/call-b');
      assert.deepEqual(
        told.slice(0, 3).map(({ traceresponse }) => traceresponse?.slice(0, 36)),
        Array(3).fill(`00-${traceId}-`),
      );
      assert.deepEqual(
        told.map(({ traceresponse }) => traceresponse?.slice(-2)),
        ['01', '00', '01', '01', '01', '01'],
      );
      for (const { traceresponse, timing } of told) assert.equal(timing, `trace;desc=${traceresponse}`);
      assert.deepEqual(
        told.toSpliced(1, 1).map(({ traceresponse }) => traceresponse?.slice(36, 52)),
        serverSpans.map((span) => span.spanId),
      );
      assert.deepEqual(
        answers.filter(({ path }) => path !== '/call-b').map(({ traceresponse }) => traceresponse !== null),
        [true, false],
      );
    });
  });
}

async function ask(mode: 'auto' | 'manual', trust: string) {
  using collector = await collectSpans();
  using serviceB = await standInForB();
  await using serviceA = await startService('service-a', {
    PROPAGATION: mode,
    TRUST_INCOMING: trust,
    OTEL_PROPAGATORS: 'b3,tracecontext,baggage',
    SERVICE_B_URL: serviceB.url,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  const answers = [];
  const calls = requests.map((headers) => ['/call-b', headers] as const);
  for (const [path, headers] of [...calls, ['/nothing', {}], ['/healthz', {}]] as const) {
    const answer = await fetch(`${serviceA.url}${path}`, { headers });
    await answer.text();
    const timing = answer.headers.get('server-timing');
    answers.push({ path, traceresponse: answer.headers.get('traceresponse'), timing });
  }
  await serviceA.stop();
  const serverSpans = collector.spans.filter(({ kind, name }) => kind === SERVER && name === 'GET /call-b');
  return { answers, sent: serviceB.received, serverSpans };
}
