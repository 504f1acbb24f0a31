import type { RawHeader } from 'service-kit/testing';

export const traceId = '0af7651916cd43dd8448eb211c80319c';
export const spanId = 'b7ad6b7169203331';
const valid = `00-${traceId}-${spanId}-01`;

/** The outcome of a request. `refused`: by the HTTP parser; `restart`: a new trace; `continue`: a trusted caller's trace. */
export interface HostileCase {
  readonly name: string;
  readonly headers: readonly RawHeader[];
  readonly outcome: 'refused' | 'restart' | 'continue';
  /** The headers of a trusted caller that are propagated. */
  readonly tracestate?: string;
  readonly baggage?: string;
}

const traceparent = (name: string, value: string, outcome: HostileCase['outcome']): HostileCase => ({
  name: `traceparent: ${name}`,
  headers: [['traceparent', value]],
  outcome,
});
const tracestate = (name: string, values: string | readonly string[], expected?: string): HostileCase => ({
  name: `tracestate: ${name}`,
  headers: [['traceparent', valid], ...[values].flat().map((value): RawHeader => ['tracestate', value])],
  outcome: 'continue',
  ...(expected === undefined ? {} : { tracestate: expected }),
});
const baggage = (name: string, values: string | readonly string[], expected?: string): HostileCase => ({
  name: `baggage: ${name}`,
  headers: [['traceparent', valid], ...[values].flat().map((value): RawHeader => ['baggage', value])],
  outcome: 'continue',
  ...(expected === undefined ? {} : { baggage: expected }),
});
/** The HTTP parser refuses octets that HTTP forbids in a field value, so they never reach the service. */
const refused = (header: string, name: string, value: string): HostileCase => ({
  name: `${header}: ${name}`,
  headers: [[header, value]],
  outcome: 'refused',
});

const list = (count: number, member: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => member(index)).join(',');

export const hostileCases: readonly HostileCase[] = [
  traceparent('upper case', valid.toUpperCase(), 'restart'),
  traceparent('version ff', `ff${valid.slice(2)}`, 'restart'),
  traceparent('version ff with more', `ff${valid.slice(2)}-more`, 'restart'),
  traceparent('version 00 with more', `${valid}-more`, 'restart'),
  traceparent('a later version', `01${valid.slice(2)}`, 'continue'),
  traceparent('a later version with more fields', `01${valid.slice(2)}-a-b-c`, 'continue'),
  traceparent('a later version of 8,000 characters', `cc${valid.slice(2)}-${'x'.repeat(8_000)}`, 'continue'),
  traceparent('a later version that goes on without a dash', `cc${valid.slice(2)}.x`, 'restart'),
  traceparent('trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`, 'restart'),
  traceparent('parent id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`, 'restart'),
  traceparent('cut off', valid.slice(0, 40), 'restart'),
  traceparent('empty', '', 'restart'),
  traceparent('white space', ' \t ', 'restart'),
  traceparent('white space around', ` \t${valid}\t `, 'continue'),
  traceparent('8,000 characters', 'a'.repeat(8_000), 'restart'),
  traceparent('markup', '<script>alert(1)</script>', 'restart'),
  traceparent('a format string', '%s%n%x$(id)', 'restart'),
  traceparent('other octets than ASCII', `\u00ff\u00a0\u0085${valid}`, 'restart'),
  traceparent('a C1 control, which some terminals obey', '\u009b31m', 'restart'),
  traceparent('a no-break space, which is none of HTTP', `\u00a0${valid}`, 'restart'),
  {
    name: 'traceparent: twice',
    headers: [
      ['traceparent', valid],
      ['traceparent', valid],
    ],
    outcome: 'restart',
  },
  {
    name: 'traceparent: twice, in other cases',
    headers: [
      ['Traceparent', valid],
      ['TRACEPARENT', valid],
    ],
    outcome: 'restart',
  },
  {
    name: 'traceparent: 200 times',
    headers: Array.from({ length: 200 }, (): RawHeader => ['traceparent', valid]),
    outcome: 'restart',
  },
  { name: 'traceparent: upper-case name', headers: [['TRACEPARENT', valid]], outcome: 'continue' },
  { name: 'tracestate: alone', headers: [['tracestate', 'foo=1']], outcome: 'restart' },
  { name: 'baggage: alone', headers: [['baggage', 'user=1']], outcome: 'restart', baggage: 'user=1' },
  refused('traceparent', 'a terminal escape', '\u001b[31m'),
  refused('traceparent', 'NUL', '\u0000'),
  refused('traceparent', 'DEL', '\u007f'),
  refused('traceparent', 'a bare carriage return', `${valid}\rx`),
  refused('tracestate', 'a terminal escape', 'foo=\u001b]0;owned\u0007'),
  refused('tracestate', 'a bare line feed', 'foo=1\nbar'),
  refused('baggage', 'a backspace', 'a=b\u0008'),
  refused('baggage', 'a terminal escape', 'hello=\u001b[2J'),
  refused('baggage', '20,000 characters', `a=${'x'.repeat(20_000)}`),
  refused('tracestate', '20,000 characters', `a=${'x'.repeat(20_000)}`),
  tracestate('one member', 'foo=1', 'foo=1'),
  tracestate(
    '32 members',
    list(32, (index) => `k${index}=1`),
    list(32, (index) => `k${index}=1`),
  ),
  tracestate(
    '33 members',
    list(33, (index) => `k${index}=1`),
  ),
  tracestate(
    '2,000 members',
    list(2_000, (index) => `k${index}=`),
  ),
  tracestate('7,000 empty members', ','.repeat(7_000)),
  tracestate('several headers', ['foo=1', '', 'bar=2'], 'foo=1,bar=2'),
  tracestate(
    '200 headers',
    Array.from({ length: 200 }, (_, index) => `k${index}=1`),
  ),
  tracestate('the same key twice', 'foo=1,foo=2', 'foo=1'),
  tracestate('the same key in two headers', ['foo=1', 'foo=2'], 'foo=1'),
  tracestate('upper-case key', 'FOO=1'),
  tracestate('a key of 257 characters', `${'a'.repeat(257)}=1`),
  tracestate('a value of 257 characters', `a=${'a'.repeat(257)}`),
  tracestate('an equals sign in the value', 'foo=a=b'),
  tracestate('a tab in the value', 'foo=a\tb'),
  tracestate('other octets than ASCII', 'foo=\u00e9\u009b'),
  tracestate(
    'longer than 512 characters',
    `a=${'a'.repeat(250)},b=1,c=${'a'.repeat(250)},d=22222222`,
    `a=${'a'.repeat(250)},b=1,d=22222222`,
  ),
  baggage('one entry', 'user=1', 'user=1'),
  baggage(
    '180 entries',
    list(180, (index) => `k${index}=1`),
    list(180, (index) => `k${index}=1`),
  ),
  baggage(
    '2,000 entries',
    list(2_000, (index) => `k${index}=1`),
    list(180, (index) => `k${index}=1`),
  ),
  baggage('the same key twice: the last', 'user=1,user=2', 'user=2'),
  baggage('several headers', ['a=1', '', 'b=2'], 'a=1,b=2'),
  baggage('one entry of 5,000 characters', `a=${'x'.repeat(5_000)},b=1`, 'b=1'),
  baggage('not decodable', 'a=%zz,b=%,c=1', 'c=1'),
  baggage(
    'encoded control characters stay encoded',
    'a=%0d%0ax%3A%20y%1b%5B31m%00',
    'a=%0D%0Ax%3A%20y%1B%5B31m%00',
  ),
  baggage('object properties', '__proto__=1,toString=2,b=1', 'toString=2,b=1'),
  baggage('no entry', ';;,,==,=,\u00e9'),
];
