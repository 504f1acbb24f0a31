import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { HeaderProcessor, recordedHeaders } from '../src/headers.ts';

const idHeaders = recordedHeaders.requestHeaders.slice(0, 13);

test('a request that came without traceparent says so', () => {
  assert.deepEqual(listEmpty(SpanKind.SERVER, {}), ['http.request.header.traceparent']);
  assert.deepEqual(listEmpty(SpanKind.SERVER, record('traceparent')), []);
});

test('a call that was answered says which headers neither left nor came back', () => {
  const answered = { 'http.response.status_code': 200 };
  const named = { ...answered, 'http.response.header.traceresponse': ['00-'] };
  assert.deepEqual(listEmpty(SpanKind.CLIENT, { ...named, ...record('traceparent') }), []);
  assert.deepEqual(listEmpty(SpanKind.CLIENT, { ...named, ...record('b3') }), [
    'http.request.header.traceparent',
  ]);
  assert.deepEqual(
    listEmpty(SpanKind.CLIENT, named),
    idHeaders.map((name) => `http.request.header.${name}`).sort(),
  );
  assert.deepEqual(listEmpty(SpanKind.CLIENT, { ...answered, ...record('traceparent') }), [
    'http.response.header.server-timing',
    'http.response.header.traceresponse',
  ]);
});

test('a call without an answer says nothing: its headers may never have been written', () => {
  assert.deepEqual(listEmpty(SpanKind.CLIENT, {}), []);
});

test('only the scopes that record headers are touched', () => {
  for (const scope of [
    '@opentelemetry/instrumentation-http',
    '@opentelemetry/instrumentation-undici',
    'test',
  ])
    assert.equal(listEmpty(SpanKind.SERVER, {}, scope).length, 1, scope);
  assert.deepEqual(listEmpty(SpanKind.SERVER, {}, '@opentelemetry/instrumentation-grpc'), []);
  assert.deepEqual(process(SpanKind.SERVER, record('baggage', 'a=b'), 'other'), record('baggage', 'a=b'));
});

test('no span of another kind is touched', () => {
  assert.deepEqual(listEmpty(SpanKind.INTERNAL, { 'http.response.status_code': 200 }), []);
});

test('values that may hold secrets are hidden', () => {
  const attributes = process(SpanKind.SERVER, {
    ...record('traceparent', '00-'),
    ...record('baggage', 'user=secret'),
    ...record('newrelic', 'secret'),
  });
  assert.deepEqual(attributes['http.request.header.traceparent'], ['00-']);
  assert.deepEqual(attributes['http.request.header.baggage'], ['user=REDACTED']);
  assert.deepEqual(attributes['http.request.header.newrelic'], ['REDACTED']);
});

function record(name: string, value = 'any'): Attributes {
  return { [`http.request.header.${name}`]: [value] };
}

function listEmpty(kind: SpanKind, attributes: Attributes, scope = 'test'): readonly string[] {
  return Object.entries(process(kind, attributes, scope))
    .flatMap(([key, value]) => (Array.isArray(value) && value.length === 0 ? [key] : []))
    .sort();
}

/** The attributes with which such a span is exported. */
function process(kind: SpanKind, attributes: Attributes, scope = 'test'): Attributes {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new HeaderProcessor('test'), new SimpleSpanProcessor({ exporter })];
  const tracer = new TracerProvider({ spanProcessors }).getTracer(scope);
  tracer.startSpan('test', { kind, attributes }).end();
  return exporter.getFinishedSpans()[0]?.attributes ?? {};
}
