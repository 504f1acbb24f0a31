import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { readCaller } from '../src/caller.ts';
import { createPropagator } from '../src/create-propagator.ts';
import { parseTrust, TrustBoundary } from '../src/index.ts';
import { createTrustTest } from '../src/trust.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const headers = {
  traceparent: `00-${traceId}-${spanId}-01`,
  tracestate: 'foo=1',
  baggage: 'user=alice',
  b3: `${traceId}-${spanId}-1`,
};

function bound(trust: string, propagators?: string) {
  return new TrustBoundary({ trust: parseTrust(trust), propagator: createPropagator(propagators) })
    .propagator;
}

describe('whom an address makes trusted', () => {
  const rows = [
    ['never', '127.0.0.1', false],
    ['always', '203.0.113.9', true],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:11.0.0.1', false],
    ['10.0.0.0/8', 'fd00::1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.7/31', '192.0.2.6', true],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['0.0.0.0/0,::/0', '2001:db8::1', true],
    ['10.0.0.0/8,fd00::/8', 'fd00::1', true],
    ['0.0.0.0/0,::/0', 'not an address', false],
    ['0.0.0.0/0,::/0', '', false],
    ['0.0.0.0/0,::/0', undefined, false],
  ] as const;
  for (const [trust, address, expected] of rows) {
    test(`${trust}, ${address}`, () => {
      assert.equal(createTrustTest(parseTrust(trust))(address), expected);
    });
  }
});

describe('of a peer that is not trusted', () => {
  for (const format of ['tracecontext', 'b3', 'b3multi'] as const) {
    const propagator = bound('never', `${format},baggage`);
    const sent =
      format === 'b3multi' ? { ...headers, 'x-b3-traceid': traceId, 'x-b3-spanid': spanId } : headers;

    test(`nothing is taken but the name of its span, with ${format}`, () => {
      const context = propagator.extract(ROOT_CONTEXT, sent, defaultTextMapGetter);
      assert.equal(trace.getSpanContext(context), undefined);
      assert.equal(propagation.getBaggage(context), undefined);
      const caller = readCaller(context);
      assert.equal(caller?.isTrusted, false);
      const { traceFlags, ...named } = caller.spanContext;
      assert.deepEqual(named, { traceId, spanId, isRemote: true });
      const carrier = {};
      propagator.inject(context, carrier, defaultTextMapSetter);
      assert.deepEqual(carrier, {});
    });
  }

  test('and of one that names no span not even that', () => {
    const propagator = bound('never');
    assert.equal(
      propagator.extract(ROOT_CONTEXT, { baggage: 'user=alice' }, defaultTextMapGetter),
      ROOT_CONTEXT,
    );
  });
});

test("headers of which nobody noted whose they are, are nobody's", () => {
  const propagator = bound('0.0.0.0/0,::/0');
  const context = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
  assert.equal(trace.getSpanContext(context), undefined);
  assert.equal(readCaller(context)?.isTrusted, false);
});

test('all is taken of a peer that is trusted', () => {
  const propagator = bound('always');
  const context = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
  assert.equal(trace.getSpanContext(context)?.traceId, traceId);
  assert.equal(trace.getSpanContext(context)?.traceState?.serialize(), 'foo=1');
  assert.deepEqual(propagation.getBaggage(context)?.getAllEntries(), [['user', { value: 'alice' }]]);
});

test('a context that holds a remote span already is not taken for the headers', () => {
  const spanContext = { traceId, spanId, traceFlags: 1, isRemote: true };
  const context = trace.setSpanContext(ROOT_CONTEXT, spanContext);
  assert.equal(bound('never').extract(context, {}, defaultTextMapGetter), context);
});

test('of others no list is read', () => {
  const read: string[] = [];
  const getter: TextMapGetter = {
    keys: () => Object.keys(headers),
    get: (carrier, key) => {
      read.push(key);
      return defaultTextMapGetter.get(carrier, key);
    },
  };
  bound('never').extract(ROOT_CONTEXT, headers, getter);
  assert.deepEqual(read, ['traceparent']);
});

describe('OTEL_PROPAGATORS', () => {
  test('names the formats, each once', () => {
    assert.deepEqual(bound('always', '').fields(), ['traceparent', 'tracestate', 'baggage']);
    assert.deepEqual(bound('always', 'b3, tracecontext,b3').fields(), ['b3', 'traceparent', 'tracestate']);
  });

  test('none neither reads nor writes', () => {
    for (const names of ['none', 'b3,none']) {
      const propagator = bound('always', names);
      assert.deepEqual(propagator.fields(), []);
      assert.equal(propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter), ROOT_CONTEXT);
    }
  });

  test('a name that is not known is refused', () => {
    for (const names of ['tracecontext,jaeger', 'none,toString']) {
      assert.throws(() => createPropagator(names), {
        name: 'BoundaryError',
        message: `OTEL_PROPAGATORS="${names}" is not valid; allowed: tracecontext, baggage, b3, b3multi, none, separated by commas`,
      });
    }
  });
});

describe('parseTrust', () => {
  test('reads networks and addresses', () => {
    assert.deepEqual(parseTrust('10.0.0.0/8, 192.0.2.7,fd00::/8'), [
      { family: 'ipv4', address: '10.0.0.0', prefix: 8 },
      { family: 'ipv4', address: '192.0.2.7', prefix: 32 },
      { family: 'ipv6', address: 'fd00::', prefix: 8 },
    ]);
  });

  for (const text of [
    '',
    'yes',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    '10.0.0.0/8/8',
    'fd00::/129',
    'fe80::1%eth0/64',
    '10.0.0.0/8,',
    'never,10.0.0.0/8',
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseTrust(text), {
        name: 'BoundaryError',
        message: `${JSON.stringify(text)} is not valid; allowed: never, always, or networks such as 10.0.0.0/8,fd00::/8`,
      });
    });
  }
});

test('a random flag of another format is not made up', () => {
  const propagator = bound('always', 'b3,tracecontext');
  const context = propagator.extract(ROOT_CONTEXT, { b3: headers.b3 }, defaultTextMapGetter);
  const carrier: Record<string, string> = {};
  propagator.inject(context, carrier, defaultTextMapSetter);
  assert.equal(carrier.traceparent, headers.traceparent);
});

describe('baggage, W3C Baggage, "Limits"', () => {
  const propagator = bound('always', 'baggage');
  const pass = (baggage: string) => {
    const carrier: Record<string, string> = {};
    const context = propagator.extract(ROOT_CONTEXT, { baggage }, defaultTextMapGetter);
    propagator.inject(context, carrier, defaultTextMapSetter);
    return carrier.baggage ?? null;
  };
  const entries = (count: number, length = 1) =>
    Array.from({ length: count }, (_, index) => `k${index}=${'v'.repeat(length)}`).join(',');
  const rows = [
    ['64 entries, the least that has to go on', entries(64), entries(64)],
    ['180 entries', entries(180), entries(180)],
    ['of more the first 180', entries(4_000), entries(180)],
    ['8,192 bytes, the least that has to go on', `a=${'v'.repeat(4_094)},b=${'v'.repeat(4_093)}`, 'same'],
    ['of more whole entries', entries(5, 2_000), entries(4, 2_000)],
    ['no entry of more than 4,096 bytes', `a=${'v'.repeat(4_095)},b=1`, 'b=1'],
    ['properties', 'a=1;secret;x=y', 'same'],
    ['white space is no part of it', 'a = 1 , b=2', 'a=1,b=2'],
    ['an equals sign in a value', 'a=b=c', 'a=b%3Dc'],
    ['percent-encoded text', 'a=%C3%A9%0A%1B', 'same'],
    ['an encoding that is none', 'a=%zz,b=1', 'b=1'],
    ['members that are no entries', ',;,=,=1,a,a=,b=1', 'b=1'],
    ['names of object properties', '__proto__=1,constructor=2,b=1', 'constructor=2,b=1'],
    ['nothing', '', null],
  ] as const;
  for (const [rule, sent, expected] of rows) {
    test(rule, () => assert.equal(pass(sent), expected === 'same' ? sent : expected));
  }
});

test('memory does not grow with what was received', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  assert.ok(typeof collectGarbage === 'function');
  const propagator = bound('127.0.0.1');
  const announce = channel('http.server.request.start');
  const receive = (requests: number): number => {
    for (let index = 0; index < requests; index += 1) {
      const address = index % 2 === 0 ? '127.0.0.1' : '203.0.113.9';
      const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: address });
      const request = new IncomingMessage(socket);
      request.headers.traceparent = `00-${index.toString(16).padStart(32, '1')}-${spanId}-01`;
      request.headers.tracestate = `k${index}=${'x'.repeat(8_000)}`;
      request.headers.baggage = `k${index}=${'x'.repeat(8_000)}`;
      announce.publish({ request });
      const context: Context = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
      assert.equal(readCaller(context)?.isTrusted, index % 2 === 0);
    }
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = receive(2_000);
  const after = receive(10_000);
  // 10,000 requests brought 160 MB.
  assert.ok(after - before < 2_000_000, `${after - before} bytes more`);
});
