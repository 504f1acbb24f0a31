import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOtlpProtobuf } from '../../src/decode/encode-otlp-protobuf.ts';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import { LearntBudget, mostLearntBytes } from '../../src/decode/learnt-budget.ts';
import { OtlpJsonScanner } from '../../src/decode/scan-otlp-json.ts';
import { OtlpProtobufScanner } from '../../src/decode/scan-otlp-protobuf.ts';
import { sourceOf } from '../../src/span/byte-source.ts';
import { SpanWriter } from '../../src/span/span-writer.ts';
import { otlpRequest, otlpSpan } from './fixture.ts';

const keyBytes = 100_000;
/** With keys of this length, this number of spans exceeds the budget. */
const spans = 2 * Math.ceil(mostLearntBytes / keyBytes);

/** Requests of one span each, no two of the same layout. */
const lines = Array.from({ length: spans }, (_, index) =>
  JSON.stringify(
    otlpRequest(
      otlpSpan({ attributes: [{ key: `${index}`.padStart(keyBytes, 'x'), value: { stringValue: 'a' } }] }),
    ),
  ),
);

for (const [name, Scanner, requests] of [
  ['JSON', OtlpJsonScanner, lines.map((line) => Buffer.from(line))],
  [
    'protobuf',
    OtlpProtobufScanner,
    lines.map((line) => encodeOtlpProtobuf(decodeJsonLines(Buffer.from(line)))),
  ],
] as const) {
  test(`the ${name} scanner remembers a bounded part of hostile spans, and reads all of them`, () => {
    const budget = new LearntBudget();
    const writer = new SpanWriter();
    const scanner = new Scanner(writer, budget);
    for (const request of requests) assert.ok(scanner.scan(sourceOf(request), 0, request.length));
    assert.equal(writer.rows, spans);
    assert.ok(budget.bytes <= mostLearntBytes, `${budget.bytes} bytes`);
    assert.ok(budget.bytes > mostLearntBytes / 2, `${budget.bytes} bytes`);
  });
}
