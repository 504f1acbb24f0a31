import { type Expectation, type ExpectedEdge, expectPath } from '../../src/expect/expectation.ts';
import type { ReceivedTraceparent } from '../../src/headers/captured.ts';
import type { WireRecord } from '../../src/headers/evidence.ts';
import { readAnsweredContext } from '../../src/headers/read-answered-context.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import type { HeaderEvidence } from '../../src/headers/wire.ts';
import type { Attributes, AttributeValue, Span, SpanKind, SpanStatus } from '../../src/span/span.ts';
import { expandRepeats } from './expand-repeats.ts';

/** The content of a drawing: the arguments of `checkTraces`. */
export interface Drawing {
  readonly spans: readonly Span[];
  readonly expectation: Expectation;
  readonly headers: HeaderEvidence;
}

/** A line that cannot be parsed; the message begins with its number. */
export class DrawingError extends Error {
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.name = 'DrawingError';
  }
}

/**
 * Reads a drawing of traces. Each line is a span, two more spaces of indent make it a child, and times are milliseconds.
 *
 *     expect web -> orders
 *     trace 1
 *       web      SERVER "GET /call" 0..100 url.path=/call
 *         web    CLIENT "GET" 10..90 url.full=http://orders/work id:call
 *         lost
 *           orders  INTERNAL "work" 20..80
 *     tap 12..88 GET /work 200 sent traceparent=00-<1>-<call>-01 received -
 *
 * The span id of a line is its number. The lines are
 * - `expect a -> b -> c`, `may a -> b`, `must-not a -> b`, `tolerate PEER`, `traceresponse SERVICE`, `baggage KEY=VALUE`
 * - `trace N`, `trace N/64` (only the last 64 bits of that id), `trace N/64-padded` (the last 64 bits after zeros)
 * - `SERVICE KIND "NAME" START..END`, then attributes `key=value` (parsed as JSON if it is JSON) and, in any order, `id:LABEL`,
 *   `shares:LABEL` (the same span id as LABEL), `parent:LABEL`, `link:LABEL`, `flags:0x301`, `status:ERROR`, `scope:NAME`,
 *   `resource:KEY=VALUE`; SERVICE `-` is a missing service name
 * - `repeat N every MS`, traces, `end`: these traces N times, each time MS later
 * - `lost` (with `id:LABEL` if needed): a span that never arrived
 * - `tap START..END METHOD PATH STATUS sent HEADER… received HEADER…`, optionally `answered HEADER…`. A header is `name=value`, `-` is none.
 *   The tap stands between the two services of the expectation; with `tap behind-caller …` its server is unknown, with
 *   `tap somewhere …` both sides are
 * - `said LABEL TRACEPARENT`: the header that a service says its SERVER span received, or `-`
 *
 * `<N>` and `<LABEL>` in headers, also in recorded ones, stand for the ids of a trace and of a span. `#` begins a comment. At `gives` the
 * expected result begins, which `readExpected` reads.
 */
export function readDrawing(text: string): Drawing {
  const lines = expandRepeats(text.replace(/^gives .*(?:\n .*)*\n?/gm, ''))
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: line.replace(/(^|\s)#.*$/, '').trimEnd() }))
    .filter((line) => line.text !== '');
  const edges: ExpectedEdge[] = [];
  const baggage: Record<string, string> = {};
  const toleratedPeers: string[] = [];
  const traceresponse: string[] = [];
  const drawn: DrawnSpan[] = [];
  const later: Statement[] = [];
  const ids = new Map<string, string>();
  let trace: string | null = null;
  let ancestors: string[] = [];

  for (const { line, text: content } of lines) {
    const indent = content.search(/\S/);
    const statement = { line, words: splitWords(line, content.trim()) };
    if (indent > 0) {
      const depth = indent / 2;
      if (trace === null) throw new DrawingError(line, 'a span before the first "trace"');
      if (!Number.isInteger(depth)) throw new DrawingError(line, 'indent by two spaces a level');
      if (depth > ancestors.length + 1) throw new DrawingError(line, 'indented deeper than a child');
      const span = readSpan(statement, trace, ancestors[depth - 2] ?? null);
      if (span.label !== null) define(ids, line, span.label, span.spanId);
      ancestors = [...ancestors.slice(0, depth - 1), span.spanId];
      drawn.push(span);
      continue;
    }
    const [word = '', ...rest] = statement.words;
    if (word === 'trace') {
      trace = readTraceId(line, rest);
      define(ids, line, rest[0] ?? '', trace);
      ancestors = [];
    } else if (word === 'expect' || word === 'may' || word === 'must-not') {
      edges.push(...readPath(line, rest).map((edge) => ({ ...edge, rule: rules[word] })));
    } else if (word === 'baggage') {
      const [key, value] = splitPair(line, rest[0] ?? '');
      baggage[key] = value;
    } else if (word === 'tolerate' && rest[0] !== undefined) {
      toleratedPeers.push(rest[0]);
    } else if (word === 'traceresponse' && rest[0] !== undefined) {
      traceresponse.push(rest[0]);
    } else if (word === 'tap' || word === 'said') {
      later.push(statement);
    } else {
      throw new DrawingError(line, `no statement begins with "${word}"; a span is indented under its trace`);
    }
  }

  const spans = drawn.flatMap((span) => finishSpan(span, drawn, ids));
  return {
    spans,
    expectation: { edges, baggage, toleratedPeers, traceresponse },
    headers: {
      wire: later
        .filter(({ words }) => words[0] === 'tap')
        .map((statement) => readTap(statement, ids, edges)),
      received: later
        .filter(({ words }) => words[0] === 'said')
        .map((statement) => readSaid(statement, spans, ids)),
    },
  };
}

const rules = { expect: 'must', may: 'may', 'must-not': 'must-not' } as const;
const kinds: readonly SpanKind[] = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const statuses: readonly SpanStatus['code'][] = ['UNSET', 'OK', 'ERROR'];
const epoch = 1_700_000_000_000n;

interface Statement {
  readonly line: number;
  readonly words: readonly string[];
}

interface DrawnSpan {
  readonly line: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly label: string | null;
  /** The label of another span that has the same span id. */
  readonly shares: string | null;
  readonly parent: string | null;
  readonly links: readonly string[];
  /** Null for a lost span. */
  readonly span: Span | null;
}

function readSpan({ line, words }: Statement, traceId: string, indentParent: string | null): DrawnSpan {
  const spanId = String(line).padStart(16, '0');
  const isLost = words[0] === 'lost';
  const marks = new Map<string, string[]>();
  const attributes = new Map<string, AttributeValue>();
  for (const word of words.slice(isLost ? 1 : 4)) {
    const mark = /^(id|shares|parent|link|flags|status|scope|resource):(.+)$/.exec(word);
    if (mark?.[1] !== undefined && mark[2] !== undefined) {
      marks.set(mark[1], [...(marks.get(mark[1]) ?? []), mark[2]]);
    } else {
      const [key, value] = splitPair(line, word);
      attributes.set(key, readValue(value));
    }
  }
  const drawn = {
    line,
    traceId,
    spanId,
    label: marks.get('id')?.[0] ?? null,
    shares: marks.get('shares')?.[0] ?? null,
    parent: marks.get('parent')?.[0] ?? null,
    links: marks.get('link') ?? [],
  };
  if (isLost) {
    if (attributes.size > 0 || [...marks.keys()].some((mark) => mark !== 'id')) {
      throw new DrawingError(line, 'a lost span has nothing but an id');
    }
    return { ...drawn, span: null };
  }
  const [service, kindWord, name, times] = words;
  const kind = kinds.find((known) => known === kindWord);
  if (service === undefined || name === undefined || times === undefined) {
    throw new DrawingError(line, 'a span is SERVICE KIND "NAME" START..END');
  }
  if (kind === undefined) throw new DrawingError(line, `"${kindWord}" is no span kind`);
  if (!/^".*"$/.test(name)) throw new DrawingError(line, `the name ${name} is not in double quotes`);
  const code = statuses.find((known) => known === (marks.get('status')?.[0] ?? 'UNSET'));
  if (code === undefined) throw new DrawingError(line, `"${marks.get('status')?.[0]}" is no status`);
  const flags = marks.get('flags')?.[0];
  if (flags !== undefined && !/^(0x[0-9a-f]+|\d+)$/.test(flags)) {
    throw new DrawingError(line, `"${flags}" is no number`);
  }
  const [start, end] = readTimes(line, times);
  const serviceName = service === '-' ? null : service;
  return {
    ...drawn,
    span: {
      traceId,
      spanId,
      parentSpanId: indentParent,
      traceState: '',
      flags: flags === undefined ? null : Number(flags),
      name: name.slice(1, -1),
      kind,
      startTimeUnixNano: start,
      endTimeUnixNano: end,
      attributes,
      links: [],
      status: { code, message: '' },
      serviceName,
      resource: readResource(line, serviceName, marks.get('resource') ?? []),
      scopeName: marks.get('scope')?.[0] ?? '',
    },
  };
}

/** Labels may be used before the line that defines them, so parents and links are filled in at the end. */
function finishSpan(
  { line, span, shares, parent, links }: DrawnSpan,
  drawn: readonly DrawnSpan[],
  ids: ReadonlyMap<string, string>,
): readonly Span[] {
  if (span === null) return [];
  return [
    {
      ...span,
      attributes: new Map(
        [...span.attributes].map(([key, value]) => [
          key,
          typeof value === 'string' && /\.(?:header|metadata)\./.test(key) ? fillIn(ids, line, value) : value,
        ]),
      ),
      spanId: shares === null ? span.spanId : lookUp(ids, line, shares),
      parentSpanId: parent === null ? span.parentSpanId : lookUp(ids, line, parent),
      links: links.map((label) => {
        const target = drawn.find((other) => other.label === label);
        if (target === undefined) throw new DrawingError(line, `no span has the label "${label}"`);
        return { traceId: target.traceId, spanId: target.spanId };
      }),
    },
  ];
}

function readTap(
  { line, words }: Statement,
  ids: ReadonlyMap<string, string>,
  edges: readonly ExpectedEdge[],
): WireRecord {
  const place = words[1] === 'somewhere' || words[1] === 'behind-caller' ? words[1] : null;
  const [times = '', method, path, status, ...sides] = words.slice(place === null ? 1 : 2);
  const at = sides.indexOf('received');
  if (method === undefined || path === undefined || status === undefined || sides[0] !== 'sent' || at < 1) {
    throw new DrawingError(line, 'a tap is START..END METHOD PATH STATUS sent HEADER… received HEADER…');
  }
  const readFields = (fields: readonly string[]) =>
    fields
      .filter((field) => field !== '-')
      .map((field) => {
        const [name, value] = splitPair(line, field);
        return { name, value: fillIn(ids, line, unquote(value)) };
      });
  const found = sides.indexOf('answered');
  const end = found < 0 ? sides.length : found;
  const [from, to] = readTimes(line, times);
  return {
    time: new Date(Number(from / 1_000_000n)).toISOString(),
    durationMs: Number(to - from) / 1_000_000,
    tap: '127.0.0.1:8083',
    target: 'http://127.0.0.1:8082',
    client: place === 'somewhere' ? null : (edges[0]?.client ?? null),
    server: place === null ? (edges.at(-1)?.server ?? null) : null,
    host: null,
    calledAt: null,
    callsFrom: null,
    protocolVersion: '1.1',
    method,
    path,
    sent: readWireContext(readFields(sides.slice(1, at))),
    received: readWireContext(readFields(sides.slice(at + 1, end))),
    faults: [],
    status: status === '-' ? null : Number(status),
    answered: found < 0 ? null : readAnsweredContext(readFields(sides.slice(found + 1))),
    clientAborted: false,
    targetError: null,
  };
}

function readSaid(
  { line, words }: Statement,
  spans: readonly Span[],
  ids: ReadonlyMap<string, string>,
): ReceivedTraceparent {
  const [, label = '', traceparent] = words;
  const spanId = lookUp(ids, line, label);
  const span = spans.find((one) => one.spanId === spanId);
  if (span === undefined || traceparent === undefined) {
    throw new DrawingError(line, 'what a service said is LABEL TRACEPARENT');
  }
  return {
    traceId: span.traceId,
    spanId,
    traceparent: traceparent === '-' ? null : fillIn(ids, line, traceparent),
  };
}

/** Words are separated by white space, except within double quotes. */
function splitWords(line: number, text: string): readonly string[] {
  const words = text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  if (words.join('') !== text.replaceAll(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/g, '')) {
    throw new DrawingError(line, 'a double quote is not closed');
  }
  return words;
}

function splitPair(line: number, word: string): readonly [string, string] {
  const at = word.indexOf('=');
  if (at < 1 || word.startsWith('"')) throw new DrawingError(line, `"${word}" is not KEY=VALUE`);
  return [word.slice(0, at), word.slice(at + 1)];
}

function readPath(line: number, words: readonly string[]): readonly ExpectedEdge[] {
  const services = words.filter((_, index) => index % 2 === 0);
  const arrows = words.filter((_, index) => index % 2 === 1);
  if (services.length < 2 || arrows.length !== services.length - 1 || arrows.some((word) => word !== '->')) {
    throw new DrawingError(line, 'edges are written a -> b');
  }
  return expectPath(services);
}

function readTraceId(line: number, words: readonly string[]): string {
  const [, number, width = ''] = /^([1-9]\d{0,15})(\/64|\/64-padded)?$/.exec(words.join(' ')) ?? [];
  if (number === undefined)
    throw new DrawingError(line, 'a trace has a number, or a number with /64 or /64-padded');
  const low = number.padStart(16, '0');
  if (width === '/64') return low;
  return (width === '' ? 'feedfacecafebeef' : '0'.repeat(16)) + low;
}

function readTimes(line: number, text: string): readonly [bigint, bigint] {
  const [, start, end] = /^(-?\d+(?:\.\d{1,6})?)\.\.(-?\d+(?:\.\d{1,6})?)$/.exec(text) ?? [];
  if (start === undefined || end === undefined) {
    throw new DrawingError(line, `"${text}" is not START..END in milliseconds`);
  }
  return [toNanoseconds(start), toNanoseconds(end)];
}

function toNanoseconds(milliseconds: string): bigint {
  const [whole = '0', part = ''] = milliseconds.replace('-', '').split('.');
  const value = BigInt(whole) * 1_000_000n + BigInt(part.padEnd(6, '0'));
  return epoch * 1_000_000n + (milliseconds.startsWith('-') ? -value : value);
}

function readResource(line: number, serviceName: string | null, words: readonly string[]): Attributes {
  const pairs = words.map((word) => {
    const [key, value] = splitPair(line, word);
    return [key, readValue(value)] as const;
  });
  return new Map([...(serviceName === null ? [] : [['service.name', serviceName] as const]), ...pairs]);
}

function readValue(text: string): AttributeValue {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return unquote(text);
}

function unquote(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}

function define(ids: Map<string, string>, line: number, label: string, id: string): void {
  if (ids.has(label)) throw new DrawingError(line, `"${label}" is there twice`);
  ids.set(label, id);
}

function lookUp(ids: ReadonlyMap<string, string>, line: number, label: string): string {
  const id = ids.get(label);
  if (id === undefined) throw new DrawingError(line, `nothing has the label "${label}"`);
  return id;
}

function fillIn(ids: ReadonlyMap<string, string>, line: number, text: string): string {
  return text.replaceAll(/<([^<>]+)>/g, (_, label) => lookUp(ids, line, String(label)));
}
