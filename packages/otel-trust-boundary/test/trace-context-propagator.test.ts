/**
 * The rules of W3C Trace Context, one row each, read from the specification: level 1 (Recommendation, 2021), and of
 * level 2 (draft) the random flag and the grammar of keys. Quoted are the headings under which a rule stands.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { setCaller } from '../src/caller.ts';
import { TraceContextPropagator } from '../src/trace-context-propagator.ts';
import { parseTraceState } from '../src/trace-state.ts';

/** Kept, so that every run tries the same inputs; a failure prints its own seed and path, which belong here then. */
const seed = 20261124;

const propagator = new TraceContextPropagator();
const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const valid = `00-${traceId}-${spanId}-01`;
type Headers = Readonly<Record<string, string | string[]>>;

function extract(headers: Headers) {
  return trace.getSpanContext(propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter));
}

function inject(context: Parameters<TraceContextPropagator['inject']>[0]): Record<string, string> {
  const carrier = {};
  propagator.inject(context, carrier, defaultTextMapSetter);
  return carrier;
}

const traceparents = [
  // rule, what is sent, whether the trace goes on
  ['"version-format": a valid one', valid, true],
  ['"version": two lower-case hex digits', `0-${traceId}-${spanId}-01`, false],
  ['"version": two lower-case hex digits', `000-${traceId}-${spanId}-01`, false],
  ['"version": two lower-case hex digits', `0x-${traceId}-${spanId}-01`, false],
  ['"version": two lower-case hex digits', `0A-${traceId}-${spanId}-01`, false],
  ['"version": ff is invalid', `ff-${traceId}-${spanId}-01`, false],
  ['"version": ff is invalid', `ff-${traceId}-${spanId}-01-more`, false],
  ['"trace-id": not all zeros', `00-${'0'.repeat(32)}-${spanId}-01`, false],
  ['"trace-id": lower-case hex digits', `00-${traceId.toUpperCase()}-${spanId}-01`, false],
  ['"trace-id": hex digits', `00-${traceId.slice(1)}.-${spanId}-01`, false],
  ['"trace-id": 32 of them', `00-${traceId}0-${spanId}-01`, false],
  ['"trace-id": 32 of them', `00-${traceId.slice(1)}-${spanId}-01`, false],
  ['"parent-id": not all zeros', `00-${traceId}-${'0'.repeat(16)}-01`, false],
  ['"parent-id": lower-case hex digits', `00-${traceId}-${spanId.toUpperCase()}-01`, false],
  ['"parent-id": 16 of them', `00-${traceId}-${spanId}0-01`, false],
  ['"parent-id": 16 of them', `00-${traceId}-${spanId.slice(1)}-01`, false],
  ['"trace-flags": two lower-case hex digits', `00-${traceId}-${spanId}-1`, false],
  ['"trace-flags": two lower-case hex digits', `00-${traceId}-${spanId}-001`, false],
  ['"trace-flags": two lower-case hex digits', `00-${traceId}-${spanId}-0F`, false],
  ['"trace-flags": two lower-case hex digits', `00-${traceId}-${spanId}-.0`, false],
  ['"trace-flags": all flags set', `00-${traceId}-${spanId}-ff`, true],
  ['"version-format": 00 ends with its flags', `${valid}-more`, false],
  ['"version-format": 00 ends with its flags', `${valid}.`, false],
  ['"Versioning": a higher one is read as 00', `01-${traceId}-${spanId}-01`, true],
  ['"Versioning": and may go on after a dash', `01-${traceId}-${spanId}-01-more`, true],
  ['"Versioning": and may go on after a dash', `fe-${traceId}-${spanId}-01-`, true],
  ['"Versioning": but not otherwise', `cc-${traceId}-${spanId}-01.more`, false],
  ['"Versioning": not shorter than 55 characters', `01-${traceId}-${spanId}-0`, false],
  ['"Versioning": its ids are checked too', `01-${'0'.repeat(32)}-${spanId}-01`, false],
  ['the empty value', '', false],
  ['prose', 'not a traceparent', false],
  ['a trace id and nothing else', traceId, false],
  ['two headers, joined as HTTP joins them', `${valid}, ${valid}`, false],
  ['two headers, not joined', [valid, valid], false],
  ['one header as a list', [valid], true],
] as const satisfies readonly (readonly [string, string | readonly string[], boolean])[];

describe(`traceparent, section 3.2: ${traceparents.length} rows`, () => {
  for (const [rule, traceparent, continues] of traceparents) {
    test(`${rule}: ${JSON.stringify(traceparent)}`, () => {
      const span = extract({ traceparent: [traceparent].flat() });
      const one = extract({ traceparent: typeof traceparent === 'string' ? traceparent : [...traceparent] });
      assert.deepEqual(span, one);
      assert.deepEqual(
        [span?.traceId, span?.spanId, span?.isRemote],
        continues ? [traceId, spanId, true] : [undefined, undefined, undefined],
      );
    });
  }
});

const members = (count: number) => Array.from({ length: count }, (_, index) => `m${index}=1`).join(',');
const a = (length: number) => 'a'.repeat(length);
const short = (count: number) => Array.from({ length: count }, (_, index) => `s${index}=${a(59)}`).join(',');

const traceStates = [
  // rule, what is sent, what goes on
  ['"list": members in their order', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'same'],
  ['"list": 32 members', members(32), 'same'],
  ['"list": not 33', members(33), null],
  ['"list": not thousands', members(4_000), null],
  ['"list": white space around members', 'foo=1 \t , \t bar=2', 'foo=1,bar=2'],
  ['"list": white space around the list', ' \tfoo=1\t ', 'foo=1'],
  ['"list": empty members', ',foo=1,, ,bar=2,', 'foo=1,bar=2'],
  ['"list": no member at all', '', null],
  ['"list": no member at all', ' ,\t,', null],
  ['"list-members": a key and a value', 'foo', null],
  ['"list-members": a key and a value', 'foo=1,bar', null],
  ['"Key": all characters', 'abcdefghijklmnopqrstuvwxyz0123456789_-*/=1', 'same'],
  ['"Key": begins with a letter or a digit', '2vendor=1', 'same'],
  ['"Key": begins with a letter or a digit', '_foo=1,bar=2', null],
  ['"Key": begins with a letter or a digit', '@foo=1,bar=2', null],
  ['"Key": is not empty', '=1', null],
  ['"Key": lower case', 'FOO=1', null],
  ['"Key": no other character', 'foo.bar=1', null],
  ['"Key": no white space', 'foo =1', null],
  ['"Key": no white space', 'f oo=1', null],
  ['"Key": no line break', 'foo\n=1', null],
  ['"Key": 256 characters', `${a(256)}=1`, 'same'],
  ['"Key": not 257', `${a(257)}=1`, null],
  ['"Key": "@" anywhere but at the beginning', 'foo@=1,bar=2', 'same'],
  ['"Key": "@" anywhere but at the beginning', 'foo@@bar=1,bar=2', 'same'],
  ['"Key": "@" anywhere but at the beginning', 'foo@bar@baz=1,bar=2', 'same'],
  ['"Key": no bound but the whole', `${a(242)}@v=1`, 'same'],
  ['"Key": no bound but the whole', `t@${a(15)}=1`, 'same'],
  ['"Value": all characters', 'foo= !"#$%&\'()*+-./0123456789:;<>?@AZ[\\]^_`az{|}~', 'same'],
  ['"Value": leading spaces belong to it', 'foo=  1', 'same'],
  ['"Value": is not empty', 'foo=', null],
  ['"Value": is not empty', 'foo=,bar=3', null],
  ['"Value": is not empty', 'foo= ,bar=2', null],
  ['"Value": no equals sign', 'foo=bar=baz', null],
  ['"Value": no tab', 'foo=a\tb', null],
  ['"Value": no control character', 'foo=a\u0007b', null],
  ['"Value": no terminal escape', 'foo=\u001b[31mred', null],
  ['"Value": no line break', 'foo=1\nbar=2', null],
  ['"Value": ASCII', 'foo=é', null],
  ['"Value": 256 characters', `foo=${a(256)}`, 'same'],
  ['"Value": not 257', `foo=${a(257)}`, null],
  ['"Combined Header Value": one entry per key', 'foo=1,foo=1', 'foo=1'],
  ['"Combined Header Value": the first, which is the newest', 'foo=1,bar=2,foo=3', 'foo=1,bar=2'],
  ['"list": 33 members, of which two have one key', `${members(32)},m0=2`, null],
  ['"tracestate Limits": 512 characters', `a=${a(254)},b=${a(253)}`, 'same'],
  [
    '"tracestate Limits": long members go first',
    `a=${a(250)},b=1,c=${a(250)},d=${a(20)}`,
    `a=${a(250)},b=1,d=${a(20)}`,
  ],
  [
    '"tracestate Limits": then the last ones',
    ['b', 'c', 'd', 'e', 'f'].map((key) => `${key}=${a(110)}`).join(','),
    ['b', 'c', 'd', 'e'].map((key) => `${key}=${a(110)}`).join(','),
  ],
  ['"tracestate Limits": 128 characters are not long', `x=${a(126)},${short(7)}`, `x=${a(126)},${short(6)}`],
  ['"tracestate Limits": 129 characters are', `x=${a(127)},${short(7)}`, short(7)],
  ['"tracestate Limits": a member that is too long alone', `${a(256)}=${a(256)}`, null],
] as const;

describe(`tracestate, section 3.3: ${traceStates.length} rows`, () => {
  for (const [rule, tracestate, expected] of traceStates) {
    test(`${rule}: ${JSON.stringify(tracestate).slice(0, 60)}`, () => {
      const span = extract({ traceparent: valid, tracestate });
      // A `tracestate` that cannot be read leaves `traceparent` as it is.
      assert.deepEqual([span?.traceId, span?.spanId], [traceId, spanId]);
      assert.equal(span?.traceState?.serialize() ?? null, expected === 'same' ? tracestate : expected);
    });
  }

  test('several headers are one list, in their order', () => {
    const tracestate = ['foo=1,bar=2', '', 'rojo=1', ' congo=2 '];
    assert.equal(
      extract({ traceparent: valid, tracestate })?.traceState?.serialize(),
      'foo=1,bar=2,rojo=1,congo=2',
    );
    assert.equal(
      extract({ traceparent: valid, tracestate: ['foo=1', 'foo=2'] })?.traceState?.serialize(),
      'foo=1',
    );
  });

  test('a member that is set comes first, and the others keep their order', () => {
    const received = parseTraceState('foo=1,2vendor=x,bar=2');
    assert.equal(received?.get('2vendor'), 'x');
    assert.equal(received?.set('bar', '3').serialize(), 'bar=3,foo=1,2vendor=x');
    assert.equal(received?.set('BAR', '3').serialize(), 'foo=1,2vendor=x,bar=2');
    assert.equal(received?.unset('foo').serialize(), '2vendor=x,bar=2');
    assert.equal(parseTraceState(members(32))?.set('new', '1').serialize().split(',').length, 32);
  });

  test('is not looked at without a valid traceparent', () => {
    assert.equal(extract({ tracestate: 'foo=1' }), undefined);
    assert.equal(extract({ traceparent: `ff${valid.slice(2)}`, tracestate: 'foo=1' }), undefined);
  });
});

describe('what is sent', () => {
  const span = { traceId, spanId, traceFlags: 1 };
  const flags = (received: string) => {
    const caller = extract({ traceparent: `00-${traceId}-${spanId}-${received}` });
    assert.ok(caller);
    const context = setCaller(trace.setSpanContext(ROOT_CONTEXT, span), {
      spanContext: caller,
      isTrusted: true,
    });
    return inject(context).traceparent?.slice(-2);
  };

  test('"Random Trace ID Flag": set on a trace that begins here', () => {
    assert.deepEqual(inject(trace.setSpanContext(ROOT_CONTEXT, span)), {
      traceparent: `00-${traceId}-${spanId}-03`,
    });
    const unsampled = trace.setSpanContext(ROOT_CONTEXT, { ...span, traceFlags: 0 });
    assert.deepEqual(inject(unsampled), { traceparent: `00-${traceId}-${spanId}-02` });
  });

  test('"Random Trace ID Flag": goes on as it came', () => {
    assert.deepEqual(['00', '01', '02', '03'].map(flags), ['01', '01', '03', '03']);
  });

  test('"Other Flags": are zero', () => {
    assert.deepEqual(['fc', 'ff'].map(flags), ['01', '03']);
    const context = trace.setSpanContext(ROOT_CONTEXT, { ...span, traceFlags: 0xff });
    assert.equal(inject(context).traceparent?.slice(-3), '-03');
  });

  test('"Random Trace ID Flag": a caller says nothing about another trace', () => {
    const context = trace.setSpanContext(ROOT_CONTEXT, span);
    const caller = { traceId: spanId.repeat(2), spanId, traceFlags: 0 };
    for (const other of [
      { spanContext: caller, isTrusted: true },
      { spanContext: { ...caller, traceId }, isTrusted: false },
    ]) {
      assert.equal(inject(setCaller(context, other)).traceparent?.slice(-2), '03');
    }
  });

  test('"Downgrade the version": is version 00', () => {
    const received = propagator.extract(
      ROOT_CONTEXT,
      { traceparent: `01-${traceId}-${spanId}-01-more` },
      defaultTextMapGetter,
    );
    assert.match(inject(received).traceparent ?? '', /^00-.{32}-.{16}-0[0-3]$/);
  });

  test('nothing, where there is no valid span', () => {
    assert.deepEqual(inject(ROOT_CONTEXT), {});
    const invalid = trace.setSpanContext(ROOT_CONTEXT, { ...span, spanId: '0'.repeat(16) });
    assert.deepEqual(inject(invalid), {});
  });
});

/** Written from the ABNF, apart from the code under test. */
describe('whatever is received', () => {
  const lower = [...'abcdefghijklmnopqrstuvwxyz'];
  const digits = [...'0123456789'];
  const keyCharacter = fc.constantFrom(...lower, ...digits, '_', '-', '*', '/', '@');
  const text = (first: readonly string[], max: number) =>
    fc
      .tuple(fc.constantFrom(...first), fc.string({ unit: keyCharacter, maxLength: max }))
      .map((parts) => parts.join(''));
  const key = text([...lower, ...digits], 255);
  const printable = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at)).filter(
    (character) => character !== ',' && character !== '=',
  );
  const value = fc
    .tuple(
      fc.string({ unit: fc.constantFrom(...printable), maxLength: 255 }),
      fc.constantFrom(...printable.filter((character) => character !== ' ')),
    )
    .map((parts) => parts.join(''));
  const list = fc.uniqueArray(fc.tuple(key, value), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 32,
  });
  const spaces = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });

  test('a valid tracestate goes on: whole, or cut by whole members', () => {
    fc.assert(
      fc.property(list, spaces, (entries, space) => {
        const sent = entries.map((entry) => entry.join('='));
        const kept =
          parseTraceState(sent.join(`${space},${space}`))
            ?.serialize()
            .split(',') ?? [];
        if (sent.join(',').length <= 512) return assert.deepEqual(kept, sent);
        assert.deepEqual(
          kept,
          sent.filter((member) => kept.includes(member)),
        );
        assert.ok(kept.join(',').length <= 512);
        // No more was cut than had to be.
        const lost = sent.filter((member) => !kept.includes(member));
        const longest = lost.reduce((most, member) => Math.max(most, member.length), 0);
        assert.ok(kept.join(',').length + 1 + longest > 512 || kept.length === 0);
      }),
      { seed },
    );
  });

  const junk = fc.oneof(
    fc.string({ maxLength: 700 }),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom('a', '0', '=', ',', '@', ' ', '\t', '\n', '\u001b', 'é', '-'),
      maxLength: 90,
    }),
    list.map((entries) => entries.map((entry) => entry.join('=')).join(',')),
  );

  test('nothing throws, and what goes on is valid by itself', () => {
    const hex = (size: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefF.'), minLength: size, maxLength: size });
    const traceparent = fc.oneof(
      junk,
      fc.tuple(hex(2), hex(32), hex(16), hex(2)).map((fields) => fields.join('-')),
      fc.tuple(fc.constantFrom(valid, `01${valid.slice(2)}`), junk).map(([head, rest]) => head + rest),
    );
    const member = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=(?!.*=)[ -~]{0,255}[!-~]$/;
    fc.assert(
      fc.property(traceparent, fc.oneof(junk, fc.array(junk, { maxLength: 4 })), (sent, tracestate) => {
        const span = extract({ traceparent: sent, tracestate });
        if (span === undefined) return;
        assert.match(`${span.traceId}-${span.spanId}`, /^(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}$/);
        const kept = span.traceState?.serialize();
        if (kept === undefined) return;
        assert.ok(kept.length <= 512 && kept.split(',').length <= 32);
        for (const one of kept.split(',')) assert.match(one, member);
        assert.equal(parseTraceState(kept)?.serialize(), kept);
      }),
      { seed, numRuns: 2_000 },
    );
  });
});
