/**
 * Real service A and real service B. A trace has three spans:
 *
 *   A SERVER GET /call-b   (root)
 *   └─ A CLIENT GET
 *      └─ B SERVER GET /work
 *
 * `npm run faults` tests the faults that break it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT, collectSpans, fetchJson, readAttribute, SERVER, startService } from 'service-kit/testing';

for (const mode of ['auto', 'manual'] as const) {
  describe(`with PROPAGATION=${mode}`, async () => {
    const { answers, spans, lines } = await runBoth(mode);

    test('each request is a trace of three spans, named by their routes', () => {
      assert.equal(spans.length, 3 * answers.length);
      for (const { body } of answers) {
        const [serverA, client, serverB, ...others] = spans
          .filter(({ traceId }) => traceId === body.service_a_trace_id)
          .toSorted((a, b) => `${a.service} ${b.kind}`.localeCompare(`${b.service} ${a.kind}`))
          .toSorted((a, b) => Number(a.parentSpanId !== undefined) - Number(b.parentSpanId !== undefined));
        assert.deepEqual(others, []);
        assert.ok(serverA && client && serverB);
        assert.deepEqual(
          [serverA, client, serverB].map(({ service, kind, name, parentSpanId }) => [
            service,
            kind,
            name,
            parentSpanId,
          ]),
          [
            ['service-a', SERVER, 'GET /call-b', undefined],
            ['service-a', CLIENT, 'GET', serverA.spanId],
            ['service-b', SERVER, 'GET /work', client.spanId],
          ],
        );
        assert.deepEqual(
          [serverA, serverB].map((span) => readAttribute(span, 'http.route')),
          ['/call-b', '/work'],
        );
        assert.deepEqual(body, {
          same_trace: true,
          service_a_trace_id: serverA.traceId,
          service_b_trace_id: serverA.traceId,
          traceparent_header: `00-${serverA.traceId}-${client.spanId}-03`,
          traceparent_parent_span_id: client.spanId,
          service_b_parent_span_id: client.spanId,
          parent_matches_traceparent: true,
        });
      }
      assert.equal(new Set(answers.map(({ body }) => body.service_a_trace_id)).size, answers.length);
    });

    test('the spans have the headers that A sent, that B received, and of the answer', () => {
      for (const { body } of answers) {
        const [client, serverB] = [CLIENT, SERVER].map((kind) =>
          spans.find(
            (span) =>
              span.kind === kind &&
              (kind === CLIENT || span.service === 'service-b') &&
              span.traceId === body.service_a_trace_id,
          ),
        );
        assert.ok(client && serverB);
        const answered = `00-${serverB.traceId}-${serverB.spanId}-01`;
        assert.deepEqual(readAttribute(client, 'http.response.header.traceresponse'), [answered]);
        const timing = readAttribute(client, 'http.response.header.server-timing');
        assert.deepEqual(timing, [`trace;desc=${answered}`]);
        for (const span of [client, serverB]) {
          assert.deepEqual(readAttribute(span, 'http.request.header.traceparent'), [body.traceparent_header]);
          // Recorded with its value, because the demo is about this header.
          assert.deepEqual(
            readAttribute(span, 'http.request.header.baggage'),
            mode === 'manual' ? ['hello=world'] : undefined,
          );
          assert.equal(readAttribute(span, 'baggage.hello'), mode === 'manual' ? 'world' : undefined);
        }
      }
    });

    test('LOG_SPANS=true prints each finished span', () => {
      const printed = lines.filter(({ msg }) => msg === 'span');
      const ofLine = printed.map((line) =>
        [line.trace_id, line.span_id, line.parent_span_id, line.name].join(),
      );
      const ofSpan = spans.map(({ traceId, spanId, parentSpanId, name }) =>
        [traceId, spanId, parentSpanId, name].join(),
      );
      assert.deepEqual(ofLine.toSorted(), ofSpan.toSorted());
    });
  });
}

/** Sends two requests, so that the second uses a keep-alive connection. */
async function runBoth(mode: 'auto' | 'manual') {
  using collector = await collectSpans();
  const env = {
    PROPAGATION: mode,
    LOG_SPANS: 'true',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  };
  await using serviceB = await startService('service-b', env);
  await using serviceA = await startService('service-a', { ...env, SERVICE_B_URL: serviceB.url });
  const answers = [await fetchJson(`${serviceA.url}/call-b`), await fetchJson(`${serviceA.url}/call-b`)];
  await Promise.all([serviceA.stop(), serviceB.stop()]);
  return { answers, spans: collector.spans, lines: [...serviceA.lines, ...serviceB.lines] };
}
