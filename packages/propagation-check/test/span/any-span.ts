import fc from 'fast-check';
import { keptAttributes, keptFamilies } from '../../src/span/kept-attributes.ts';
import type { AttributeValue, Span } from '../../src/span/span.ts';

const hex = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .filter((id) => /[^0]/.test(id));
/** With the usual prototype, as spans have it. */
const plain = { noNullPrototype: true } as const;

const spanId = hex(16);
const traceId = fc.oneof(
  { weight: 4, arbitrary: hex(32) },
  { weight: 1, arbitrary: hex(16) },
  { weight: 1, arbitrary: hex(16).map((id) => `${'0'.repeat(16)}${id}`) },
);

/** Well-formed or not; some recur, some are long. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'GET', 'é', '日本', '\ud800', 'a\udc00b', '__proto__', '/work/{id}', 'x'.repeat(600)),
  fc.nat(9_999).map((id) => `/orders/${id}`),
);

const scalar = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1e21, 200),
);
const { value } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('value'), { maxLength: 3 })),
}));

const key = fc.oneof(
  fc.constantFrom(...keptAttributes),
  fc
    .tuple(fc.constantFrom(...keptFamilies), fc.constantFrom('traceparent', 'b3', '', 'ä'))
    .map(([family, name]) => `${family}${name}`),
  anyText,
);

const anyAttributes = fc.array(fc.tuple(key, value), { maxLength: 8 }).map((pairs) => new Map(pairs));

const base = 1_700_000_000_000_000_000n;
const nearTime = fc.bigInt(0n, 3_600_000_000_000n).map((after) => base + after);
const anyTime = fc.oneof(
  { weight: 8, arbitrary: nearTime },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 2n ** 64n - 1n, base + 2n ** 53n, base + 2n ** 53n + 1n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
);

const anySpan: fc.Arbitrary<Span> = fc.record(
  {
    traceId,
    spanId,
    parentSpanId: fc.option(spanId),
    traceState: anyText,
    flags: fc.option(fc.integer({ min: 1, max: 0xffff_ffff })),
    name: anyText,
    kind: fc.constantFrom('UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'),
    startTimeUnixNano: anyTime,
    endTimeUnixNano: anyTime,
    attributes: anyAttributes,
    links: fc.array(fc.record({ traceId, spanId }, plain), { maxLength: 2 }),
    status: fc.record({ code: fc.constantFrom('UNSET', 'OK', 'ERROR'), message: anyText }, plain),
    serviceName: fc.option(anyText),
    resource: anyAttributes,
    scopeName: anyText,
  },
  plain,
);

export const anySpans = fc.array(anySpan, { maxLength: 12 });
