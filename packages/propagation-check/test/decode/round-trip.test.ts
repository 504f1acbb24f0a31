import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStore } from '../../src/collect/describe-store.ts';
import { decodeBytes, decodeCompressed } from '../../src/decode/detect-format.ts';
import { countDroppedLinks, droppedCounts } from '../../src/span/dropped-counts.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import type { Span } from '../../src/span/span.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { drawTrace } from '../draw-trace.ts';
import { writeSharedZipkin, writtenFormats } from './write-formats.ts';

const call = (to: string) =>
  `http.request.method=GET url.full=http://${to}:8080/x server.address=${to} server.port=8080`;

/*
 * web calls orders, orders calls payments, and payments sends a message to a consumer, which links to the PRODUCER span.
 */
const healthy = drawTrace(`
  trace a
  SERVER web GET /shop             a1  0..100 http.request.method=GET url.path=/shop
    INTERNAL web handler           a2  1..99
      CLIENT web GET               a3  10..90 ${call('orders')}
        SERVER orders GET /x       b1  20..80 http.request.method=GET url.path=/x
          CLIENT orders GET        b2  30..70 ${call('payments')}
            SERVER payments GET /x  c1  40..60 http.request.method=GET url.path=/x
              PRODUCER payments send jobs  c2  50..55 messaging.system=kafka messaging.destination.name=jobs messaging.operation.type=send
  trace b
  CONSUMER worker process jobs     d1  70..80 messaging.system=kafka messaging.destination.name=jobs messaging.operation.type=process
`).map((span) =>
  span.kind === 'CONSUMER' ? { ...span, links: [{ traceId: 'a'.repeat(32), spanId: 'c2'.repeat(8) }] } : span,
);

const traceparent = 'http.request.header.traceparent';

/** payments begins its own trace, and both sides recorded the traceparent header that was sent and received: `header-ignored`. */
const broken = healthy.map((span): Span => {
  const sent = [`00-${'a'.repeat(32)}-${'b2'.repeat(8)}-01`];
  if (span.spanId.startsWith('b2'))
    return { ...span, attributes: new Map([...span.attributes, [traceparent, sent]]) };
  if (!span.spanId.startsWith('c')) return span;
  if (span.kind !== 'SERVER') return { ...span, traceId: 'c'.repeat(32) };
  const attributes = new Map([...span.attributes, [traceparent, sent]]);
  return { ...span, traceId: 'c'.repeat(32), parentSpanId: null, attributes };
});

function judge(spans: readonly Span[]) {
  const { verdict, edges, findings } = checkTraces(spans);
  return {
    verdict,
    edges: edges.map(({ client, server }) => `${client} -> ${server}`).sort(),
    findings: findings.map(({ id, severity }) => ({ id, severity })),
  };
}

function withoutLinks(spans: readonly Span[]): readonly Span[] {
  return spans.map((span) => ({ ...span, links: [] }));
}

/** Sets the flags that SDKs export: whether the parent is remote. */
function withFlags(spans: readonly Span[]): readonly Span[] {
  return spans.map((span) => ({
    ...span,
    flags: span.kind === 'SERVER' && span.parentSpanId !== null ? 0x300 : 0x100,
  }));
}

/** An empty span context, and one whose span id is too long for every format. (Jaeger accepts short ids: it omits leading zeros.) */
const zeros = { traceId: '0'.repeat(32), spanId: '0'.repeat(16) };
const invalid = { traceId: 'c2'.repeat(16), spanId: 'c2'.repeat(9) };

function sortById(spans: readonly Span[]): readonly Span[] {
  return [...spans].sort((left, right) => (left.spanId < right.spanId ? -1 : 1));
}

/** The fields that every format carries. */
function core(spans: readonly Span[]) {
  return sortById(spans).map(
    ({ traceId, spanId, parentSpanId, name, kind, serviceName, links, ...span }) => ({
      ...{ traceId, spanId, parentSpanId, name, kind, serviceName, links },
      ...{
        start: span.startTimeUnixNano,
        end: span.endTimeUnixNano,
        method: span.attributes.get('http.request.method'),
      },
    }),
  );
}

test('the written traces are intact in one case, and broken with a cause in the other', () => {
  assert.deepEqual(judge(decodeBytes(Buffer.from(encodeOtlpLines(healthy))).spans).verdict, 'intact');
  assert.deepEqual(judge(decodeBytes(Buffer.from(encodeOtlpLines(broken))).spans), {
    verdict: 'broken',
    edges: ['orders -> payments', 'web -> orders'],
    findings: [{ id: 'header-ignored', severity: 'error' }],
  });
});

for (const [name, { format, write, keepsFlags, losesLinks }] of Object.entries(writtenFormats)) {
  for (const [state, drawn] of Object.entries({ healthy, broken })) {
    test(`${state} in ${name} is judged as in OTLP JSON`, async () => {
      const spans = losesLinks ? withoutLinks(drawn) : drawn;
      const decoded = await decodeCompressed(Buffer.from(write(spans)), 1_000_000);
      assert.equal(decoded.format, format);
      assert.deepEqual(core(decoded.spans), core(spans));
      assert.deepEqual(judge(decoded.spans), judge(spans));
    });
  }
  if (losesLinks !== true) {
    test(`${name} keeps the links that can be followed, and counts those whose ids are not valid`, async () => {
      const spans = healthy.map((span) => ({ ...span, links: [zeros, ...span.links, invalid] }));
      const decoded = await decodeCompressed(Buffer.from(write(spans)), 1_000_000);
      assert.deepEqual(core(decoded.spans), core(healthy));
      for (const span of decoded.spans) {
        assert.equal(span.attributes.get(droppedCounts.invalidLinks), 1);
        assert.equal(countDroppedLinks(span), 1);
      }
      assert.match(
        describeStore(storeOf(decoded.spans)).join(),
        /^links of spans of .* have ids that are not valid/,
      );
    });
  }
  if (keepsFlags) {
    test(`${name} keeps every field of a span, including flags`, async () => {
      const spans = withFlags(broken);
      const decoded = await decodeCompressed(Buffer.from(write(spans)), 1_000_000);
      assert.deepEqual(sortById(decoded.spans), sortById(spans));
    });
  }
}

test('the two sides of a Zipkin call with one id are joined across lines', () => {
  const { spans } = decodeBytes(Buffer.from(writeSharedZipkin(withoutLinks(healthy))));
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, healthy.length);
  assert.deepEqual(judge(spans), judge(withoutLinks(healthy)));
});

test('several formats in one file are read together and noted', () => {
  const [half, rest] = [healthy.slice(0, 3), healthy.slice(3)];
  const jaeger = writtenFormats['lines of Jaeger traces']?.write(half) ?? '';
  const rows = writtenFormats['rows of ClickHouse']?.write(rest) ?? '';
  const decoded = decodeBytes(Buffer.from(`${jaeger}${rows}`));
  assert.equal(decoded.format, 'mixed');
  assert.deepEqual(decoded.notes, ['it mixes formats: Jaeger JSON (3 spans), ClickHouse rows (5 spans)']);
  assert.deepEqual(judge(decoded.spans), judge(healthy));
});

test('a log of several programs gives the spans of all of them', () => {
  const write = (name: string, spans: readonly Span[]) => String(writtenFormats[name]?.write(spans));
  const others = ['console exporter of .NET, among a log', 'console exporter of Python'];
  for (const other of others) {
    const log = write("the Collector's debug exporter", healthy.slice(0, 3)) + write(other, healthy.slice(3));
    const decoded = decodeBytes(Buffer.from(log));
    assert.equal(decoded.format, 'mixed');
    assert.deepEqual(core(decoded.spans), core(healthy));
  }
  const part = write("the Collector's debug exporter", healthy).replaceAll(
    'Str(GET)',
    'Str("parent_id": null)',
  );
  assert.equal(decodeBytes(Buffer.from(part)).spans.length, healthy.length);
});

test('lines that hold no span are counted', () => {
  const printed = writtenFormats['console exporter of Python, among a log']?.write(healthy) ?? '';
  assert.deepEqual(decodeBytes(Buffer.from(printed)).notes, ['lines without a span, left out: 8']);
});
