import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../src/decode/parse-json.ts';

function messageOf(input: string | Uint8Array): string {
  try {
    parseJson(typeof input === 'string' ? Buffer.from(input) : input);
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'DecodeError');
    return error.message;
  }
  throw new assert.AssertionError({ message: `${String(input)} was accepted` });
}

test('a message begins with the byte of the fault', () => {
  assert.equal(
    messageOf('{"a":1,}'),
    'byte 7: not valid JSON at "}" (the comma before it is one too many; remove it)',
  );
  assert.equal(messageOf('{"ä":1 "b"}'), 'byte 8: not valid JSON at "\\"b\\"}"');
  assert.equal(messageOf('[1,2] x'), 'byte 6: not valid JSON at "x"');
  assert.equal(messageOf('{"a" 1}'), 'byte 5: not valid JSON at "1}"');
  assert.equal(messageOf('{1:2}'), 'byte 1: not valid JSON at "1:2}"');
  assert.equal(messageOf('[NaN]'), 'byte 1: not valid JSON at "NaN]"');
  assert.equal(messageOf('[1]]'), 'byte 3: not valid JSON at "]"');
  assert.equal(messageOf('[1}'), 'byte 2: not valid JSON at "}"');
  assert.equal(messageOf('[}'), 'byte 1: not valid JSON at "}"');
  assert.equal(messageOf('[01]'), 'byte 1: not valid JSON at "01]"');
  assert.equal(messageOf('["a\u001b[2J"]'), 'byte 3: not valid JSON at "\\u001b[2J\\"]"');
  assert.equal(messageOf('["\\x"]'), 'byte 2: not valid JSON at "\\\\x\\"]"');
  assert.equal(messageOf('\ufeff{"a":}'), 'byte 8: not valid JSON at "}"');
});

test('a text that is cut off anywhere is reported as cut off', () => {
  const text = '{"a":[1,-2.5e+3,true,null,"x\\u00e4\\n"],"b":{"c":false}}';
  for (let length = 1; length < text.length; length += 1) {
    const message = messageOf(text.slice(0, length));
    assert.match(message, /^byte \d+: the JSON ends early, as if it was cut off$/, text.slice(0, length));
  }
});

test('text that is not UTF-8 is refused with the first wrong byte', () => {
  assert.equal(messageOf(Buffer.from([0x7b, 0x22, 0xc3, 0xa4, 0xff, 0x22])), 'byte 4: not UTF-8 text');
  assert.equal(messageOf(Buffer.from([0x22, 0xc3])), 'byte 1: not UTF-8 text');
  assert.match(
    messageOf(Buffer.from('\ufeff{}', 'utf16le')),
    /^byte 0: this text is UTF-16; save it as UTF-8/,
  );
});

test('a million nested brackets are refused without recursion', () => {
  assert.match(messageOf('['.repeat(1_000_000)), /ends early/);
});

test('times in nanoseconds that are written as numbers keep every digit', () => {
  const text = '{"startTimeUnixNano" : 1700000000000000001,"endTimeUnixNano":1700000000000000003}';
  assert.deepEqual(parseJson(Buffer.from(text)), {
    startTimeUnixNano: '1700000000000000001',
    endTimeUnixNano: '1700000000000000003',
  });
  assert.deepEqual(parseJson(Buffer.from(JSON.stringify({ body: text }))), { body: text });
  assert.equal(messageOf('{"startTimeUnixNano":1700000000000000001,"a":}'), 'byte 45: not valid JSON at "}"');
});
