import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import { otlpRequest, otlpSpan, readFixture } from './fixture.ts';

const request = JSON.stringify(otlpRequest(otlpSpan()));

function decode(text: string) {
  return decodeJsonLines(Buffer.from(text));
}

test('a capture of a real Collector gives all its spans', () => {
  const bytes = readFixture('grpc-unary.otlp.jsonl');
  const expected = Buffer.from(bytes)
    .toString()
    .match(/"spanId"/g)?.length;
  const spans = decodeJsonLines(bytes);
  assert.equal(spans.length, expected);
  assert.ok(
    spans.every((span) => span.serviceName !== null && span.endTimeUnixNano > span.startTimeUnixNano),
  );
});

test('blank lines, CRLF, metrics, logs and empty requests give no spans', () => {
  const text = `\n${request}\r\n   \n{"resourceMetrics":[]}\n{"resourceLogs":[]}\n{}\n\n${request}`;
  assert.equal(decode(text).length, 2);
});

test('errors name the line', () => {
  assert.throws(() => decode(`${request}\n\n{"resourceSpans":[}\n${request}\n`), {
    name: 'DecodeError',
    message: 'line 3: byte 18: not valid JSON at "}"',
  });
  assert.throws(() => decode(`${request}\n${JSON.stringify(otlpRequest(otlpSpan({ spanId: '1' })))}\n`), {
    message: 'line 2: resourceSpans[0].scopeSpans[0].spans[0].spanId: "1" is not 16 hex digits',
  });
  assert.throws(() => decode(`${request}\n"text"\n`), { message: /^line 2: document: expected an object/ });
  assert.throws(() => decode(`${request}\n{"level":"info"}\n`), {
    message: /^line 2: document: expected an object with "resourceSpans", found "level"; export/,
  });
});

test('a cut-off last line is reported as cut off', () => {
  assert.throws(() => decode(`${request}\n${request.slice(0, -20)}`), {
    message: /^line 2: byte \d+: the JSON ends early, as if it was cut off .*take it again after its writer/,
  });
});
