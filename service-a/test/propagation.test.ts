/**
 * Real service A, real service B. Healthy, all of it holds:
 *
 *   A SERVER GET /call-b   (root)
 *   └─ A CLIENT GET        (below INTERNAL spans of A in automatic mode)
 *      └─ B SERVER GET /work
 *
 * and each fault that the services' own answers show breaks what it is there to break, and nothing else. All of them,
 * by their spans: `npm run faults`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FaultName } from '../src/fault.ts';
import { CLIENT, collectSpans, type ExportedSpan, SERVER } from './support/collect-spans.ts';
import { fetchJson } from './support/fetch-json.ts';
import { startService } from './support/start-service.ts';

interface Observation {
  readonly clientSpans: number;
  readonly clientDescendsFromServer: boolean;
  readonly header: 'none' | 'names the CLIENT span' | 'unreadable';
  readonly serviceBIsRoot: boolean;
  readonly sameTrace: boolean;
  readonly parentMatches: boolean;
}

const healthy: Observation = {
  clientSpans: 1,
  clientDescendsFromServer: true,
  header: 'names the CLIENT span',
  serviceBIsRoot: false,
  sameTrace: true,
  parentMatches: true,
};
const split = { serviceBIsRoot: true, sameTrace: false, parentMatches: false } as const;

const expected = {
  'no fault': healthy,
  'strip-traceparent': { ...healthy, ...split, header: 'none' },
  'propagator-mismatch': { ...healthy, ...split, header: 'none' },
  'propagator-none': { ...healthy, ...split, header: 'none' },
  'client-not-instrumented': {
    ...healthy,
    ...split,
    header: 'none',
    clientSpans: 0,
    clientDescendsFromServer: false,
  },
  'duplicate-traceparent': { ...healthy, ...split, header: 'unreadable' },
  'context-lost': { ...healthy, sameTrace: false, clientDescendsFromServer: false },
} as const satisfies Readonly<Partial<Record<FaultName | 'no fault', Observation>>>;

type CaseName = keyof typeof expected;
const caseNames = [
  'no fault',
  'strip-traceparent',
  'propagator-mismatch',
  'propagator-none',
  'client-not-instrumented',
  'duplicate-traceparent',
  'context-lost',
] as const satisfies readonly CaseName[];

for (const mode of ['auto', 'manual'] as const) {
  describe(`with PROPAGATION=${mode}`, () => {
    for (const name of caseNames) {
      test(name, async () => {
        const { first, second, spans, hello } = await runBoth(mode, name === 'no fault' ? '' : name);
        for (const { status, body } of [first, second]) {
          assert.equal(status, 200);
          assert.deepEqual(observe(body.service_a_trace_id, body, spans), expected[name]);
        }
        assert.deepEqual(hello, sendsBaggage(mode, name) ? ['world', 'world'] : []);
        assert.notEqual(first.body.service_a_trace_id, second.body.service_a_trace_id);
      });
    }
  });
}

/** Baggage travels in a header of its own, so only a propagator that does not write it can lose it. */
function sendsBaggage(mode: 'auto' | 'manual', name: CaseName): boolean {
  const withoutBaggage = ['propagator-mismatch', 'propagator-none', 'client-not-instrumented'];
  return mode === 'manual' && !withoutBaggage.includes(name);
}

/** Two requests, so that a second one over a kept connection is seen as well. */
async function runBoth(mode: 'auto' | 'manual', fault: FaultName | '') {
  using collector = await collectSpans();
  const env = {
    PROPAGATION: mode,
    FAULT: fault,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  };
  await using serviceB = await startService(env, fileURLToPath(new URL('../../service-b', import.meta.url)));
  await using serviceA = await startService({ ...env, SERVICE_B_URL: serviceB.url });
  const first = await fetchJson(`${serviceA.url}/call-b`);
  const second = await fetchJson(`${serviceA.url}/call-b`);
  await Promise.all([serviceA.stop(), serviceB.stop()]);
  const ofB = collector.spans.filter(({ service }) => service === 'service-b');
  const hello = ofB.flatMap(({ attributes }) =>
    attributes.filter(({ key }) => key === 'baggage.hello').map(({ value }) => value.stringValue),
  );
  return { first, second, spans: collector.spans, hello };
}

function observe(
  traceId: unknown,
  answer: Readonly<Record<string, unknown>>,
  spans: readonly ExportedSpan[],
): Observation {
  const serverB = spans.filter((span) => span.kind === SERVER && span.traceId === answer.service_b_trace_id);
  const serverA = spans.filter(
    (span) => span.kind === SERVER && span.traceId === traceId && span.service === 'service-a',
  );
  assert.deepEqual(
    [
      serverA.map(({ name }) => name),
      serverB.filter(({ service }) => service === 'service-b').map(({ name }) => name),
    ],
    [['GET /call-b'], ['GET /work']],
  );
  assert.equal(serverA[0]?.parentSpanId, undefined);
  // With a lost context A's CLIENT span is in B's trace.
  const traces = [traceId, answer.service_b_trace_id];
  const clients = spans.filter((span) => span.kind === CLIENT && traces.includes(span.traceId));
  const parentOfB = answer.service_b_parent_span_id;
  return {
    clientSpans: clients.length,
    clientDescendsFromServer: clients.some((client) => descends(client, serverA[0]?.spanId, spans)),
    header:
      answer.traceparent_header === null
        ? 'none'
        : clients.some(({ spanId }) => spanId === answer.traceparent_parent_span_id)
          ? 'names the CLIENT span'
          : 'unreadable',
    serviceBIsRoot: parentOfB === null,
    sameTrace: answer.same_trace === true,
    parentMatches:
      answer.parent_matches_traceparent === true && clients.some(({ spanId }) => spanId === parentOfB),
  };
}

function descends(span: ExportedSpan, ancestor: string | undefined, spans: readonly ExportedSpan[]): boolean {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent !== undefined && (parent.spanId === ancestor || descends(parent, ancestor, spans));
}
