import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decodeJsonLines } from '../src/decode/json-lines.ts';
import { encodeOtlpLines } from '../src/span/encode-otlp-lines.ts';
import type { Span } from '../src/span/span.ts';

const span: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  traceState: 'vendor=1',
  flags: 0x301,
  name: 'GET /work',
  kind: 'SERVER',
  startTimeUnixNano: 1_700_000_000_123_456_789n,
  endTimeUnixNano: 1_700_000_000_223_456_789n,
  attributes: new Map<string, string | number | boolean | readonly string[]>([
    ['http.route', '/work'],
    ['http.response.status_code', 200],
    ['ratio', 0.5],
    ['sampled', true],
    ['list', ['x', 'y']],
    ['__proto__', 'z'],
  ]),
  links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
  status: { code: 'ERROR', message: 'no' },
  serviceName: 'service-b',
  resource: new Map([
    ['service.name', 'service-b'],
    ['service.instance.id', '1'],
  ]),
  scopeName: 'scope',
};

it('can be read again without loss', () => {
  const { parentSpanId: _, ...rest } = span;
  const root: Span = {
    ...rest,
    spanId: 'f'.repeat(16),
    parentSpanId: null,
    traceState: '',
    links: [],
    serviceName: null,
    resource: new Map(),
    kind: 'UNSPECIFIED',
    status: { code: 'UNSET', message: '' },
    scopeName: '',
  };
  const text = encodeOtlpLines([span, root]);
  assert.deepEqual(decodeJsonLines(Buffer.from(text)), [span, root]);
});

it('writes one line for each resource', () => {
  const other = { ...span, spanId: 'f'.repeat(16), resource: new Map([['service.name', 'x']]) };
  assert.equal(encodeOtlpLines([span, other, { ...span, spanId: '1'.repeat(16) }]).split('\n').length, 3);
});

it('is empty without spans', () => assert.equal(encodeOtlpLines([]), ''));
