import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Attributes,
  type AttributeValue,
  createTraceState,
  type SpanContext,
  TraceFlags,
} from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { decodeSpans } from '../src/decode-spans.ts';

/** A fixed seed, so that every run tries the same inputs. A failure prints a seed and a path, which are to be added here. */
const seed = 20261124;

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const time = fc.tuple(fc.nat(4_000_000_000), fc.nat(999_999_999));
const { value } = fc.letrec<{ value: AttributeValue | undefined }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.string(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    fc.uint8Array({ maxLength: 8 }),
    fc.constant(undefined),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
  ),
}));
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(fc.string(), value, { maxKeys: 4 });
const context: fc.Arbitrary<SpanContext> = fc
  .record({
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.nat(255),
    isRemote: fc.boolean(),
    traceState: fc.option(fc.constantFrom('a=1', 'foo@=1,2vendor=2', '  '), { nil: undefined }),
  })
  .map(({ traceState, ...ids }) => ({
    ...ids,
    ...(traceState === undefined
      ? {}
      : { traceState: Object.assign(createTraceState(), { serialize: () => traceState }) }),
  }));
const named = fc.record(
  {
    name: fc.string(),
    version: fc.string(),
    schemaUrl: fc.string({ minLength: 1 }),
    attributes,
    droppedAttributesCount: fc.nat(),
  },
  { requiredKeys: ['name'] },
);
const span = fc.record({
  own: context,
  parent: fc.option(fc.record({ spanId: hex(16), isRemote: fc.boolean() }), { nil: undefined }),
  name: fc.string(),
  kind: fc.nat(4),
  startTime: time,
  endTime: time,
  status: fc.record({ code: fc.nat(2), message: fc.string() }, { requiredKeys: ['code'] }),
  attributes,
  links: fc.array(fc.record({ context, attributes, droppedAttributesCount: fc.nat() }), { maxLength: 2 }),
  events: fc.array(fc.record({ name: fc.string(), time, attributes, droppedAttributesCount: fc.nat() }), {
    maxLength: 2,
  }),
  droppedAttributesCount: fc.nat(),
  droppedEventsCount: fc.nat(),
  droppedLinksCount: fc.nat(),
  resource: fc.nat(1),
  scope: fc.nat(1),
});

function serialize(spans: ReadableSpan[]): string {
  return Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []).toString();
}

test('spans that are decoded and written again give the same text, whatever they contain', () => {
  const pair = <T>(of: fc.Arbitrary<T>) => fc.tuple(of, of);
  fc.assert(
    fc.property(
      fc.array(span, { minLength: 1, maxLength: 5 }),
      pair(attributes),
      fc.constantFrom('', 'https://opentelemetry.io/schemas/1.40.0'),
      pair(named),
      (drafts, resources, schemaUrl, scopes) => {
        const made = resources.map((of) => resourceFromAttributes(of, { schemaUrl }));
        const spans = drafts.flatMap(({ own, parent, resource, scope, ...rest }): ReadableSpan[] => {
          const of = made[resource];
          const by = scopes[scope];
          if (of === undefined || by === undefined) return [];
          return [
            {
              ...rest,
              spanContext: () => own,
              ...(parent === undefined
                ? {}
                : {
                    parentSpanContext: { ...parent, traceId: own.traceId, traceFlags: TraceFlags.SAMPLED },
                  }),
              duration: [0, 0],
              ended: true,
              resource: of,
              instrumentationScope: by,
            },
          ];
        });
        const text = serialize(spans);
        assert.equal(serialize(decodeSpans(text)), text);
      },
    ),
    { seed, numRuns: 300 },
  );
});
