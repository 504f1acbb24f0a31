/** Real service A. Whose trace goes on, in both modes: what A sends to B, and the SERVER span that it exports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collectSpans, type ExportedSpan, SERVER } from './support/collect-spans.ts';
import { fetchJson } from './support/fetch-json.ts';
import { standInForB } from './support/stand-in-b.ts';
import { startService } from './support/start-service.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const requests = [
  { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'foo=1', baggage: 'user=alice' },
  { traceparent: `00-${traceId}-${spanId}-00`, tracestate: 'foo=1', baggage: 'user=alice' },
  // Whoever stands in between may say anything of where the request comes from.
  {
    traceparent: `00-${traceId}-${spanId}-01`,
    forwarded: 'for=10.1.2.3',
    'x-forwarded-for': '10.1.2.3',
    'x-real-ip': '10.1.2.3',
  },
  { baggage: 'user=alice', tracestate: 'foo=1' },
  {},
];

for (const mode of ['auto', 'manual'] as const) {
  const ownBaggage = mode === 'manual' ? 'hello=world' : undefined;

  for (const trust of [undefined, 'never', '10.0.0.0/8,2001:db8::/32']) {
    test(`with PROPAGATION=${mode} and TRUST_INCOMING=${trust} a caller chooses nothing`, async () => {
      const { sent, serverSpans, answers } = await ask(mode, trust);
      assert.equal(serverSpans.length, requests.length);
      for (const [index, span] of serverSpans.entries()) {
        assert.equal(span.parentSpanId, undefined);
        assert.equal(span.traceState, undefined);
        assert.notEqual(span.traceId, traceId);
        const named =
          requests[index]?.traceparent === undefined ? [] : [{ traceId, spanId, traceState: undefined }];
        assert.deepEqual(
          span.links.map((link) => ({
            traceId: link.traceId,
            spanId: link.spanId,
            traceState: link.traceState,
          })),
          named,
        );
        assert.equal(answers[index], span.traceId);
        const headers = sent[index];
        assert.match(String(headers?.traceparent), new RegExp(`^00-${span.traceId}-[0-9a-f]{16}-03$`));
        assert.deepEqual([headers?.tracestate, headers?.baggage], [undefined, ownBaggage]);
        assert.equal(readAddress(span), '127.0.0.1');
      }
    });
  }

  for (const trust of ['always', '10.0.0.0/8,127.0.0.1']) {
    test(`with PROPAGATION=${mode} and TRUST_INCOMING=${trust} the caller's trace goes on`, async () => {
      const { sent, serverSpans, answers } = await ask(mode, trust);
      // The second caller does not sample, so its SERVER span is not recorded.
      assert.deepEqual(
        serverSpans.map(({ parentSpanId, links }) => [parentSpanId, links.length]),
        [
          [spanId, 0],
          [spanId, 0],
          [undefined, 0],
          [undefined, 0],
        ],
      );
      assert.deepEqual(answers.slice(0, 3), [traceId, traceId, traceId]);
      const flags = sent.map(({ traceparent }) => String(traceparent).slice(-2));
      assert.deepEqual(flags, ['01', '00', '01', '03', '03']);
      const state = sent.map(({ tracestate }) => tracestate);
      assert.deepEqual(state, ['foo=1', 'foo=1', undefined, undefined, undefined]);
      const user = sent.map(({ baggage }) => baggage?.toString().split(',')[0]);
      assert.deepEqual(user, ['user=alice', 'user=alice', ownBaggage, 'user=alice', ownBaggage]);
    });
  }
}

describe('a caller that is not trusted', () => {
  test('does not choose a trace by b3 either', async () => {
    const headers = { b3: `${traceId}-${spanId}-1` };
    const { sent, serverSpans } = await ask('auto', 'never', [headers], { OTEL_PROPAGATORS: 'b3' });
    assert.deepEqual(
      serverSpans.map(({ parentSpanId, links }) => [parentSpanId, links[0]?.traceId]),
      [[undefined, traceId]],
    );
    assert.match(String(sent[0]?.b3), new RegExp(`^${serverSpans[0]?.traceId}-[0-9a-f]{16}-1$`));
  });
});

async function ask(
  mode: 'auto' | 'manual',
  trust: string | undefined,
  headersOfEach: readonly Record<string, string>[] = requests,
  env: NodeJS.ProcessEnv = {},
) {
  using collector = await collectSpans();
  using serviceB = await standInForB();
  await using serviceA = await startService({
    PROPAGATION: mode,
    TRUST_INCOMING: trust,
    SERVICE_B_URL: serviceB.url,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    ...env,
  });
  const answers: unknown[] = [];
  for (const headers of headersOfEach) {
    answers.push((await fetchJson(`${serviceA.url}/call-b`, { headers })).body.service_a_trace_id);
  }
  await serviceA.stop();
  const serverSpans = collector.spans.filter(({ kind }) => kind === SERVER);
  return { answers, sent: serviceB.received, serverSpans };
}

/** Where the request came from, as the span has it; manual mode does not record it. */
function readAddress({ attributes }: ExportedSpan): string {
  return attributes.find(({ key }) => key === 'client.address')?.value.stringValue ?? '127.0.0.1';
}
