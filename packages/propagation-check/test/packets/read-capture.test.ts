import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readCapture } from '../../src/packets/read-capture.ts';
import { PacketFileError, readPackets } from '../../src/packets/read-packets.ts';
import { readSegment, type Segment } from '../../src/packets/tcp-segment.ts';
import { writePcap, writePcapng, writeSegment } from './write-packets.ts';

/** Fixed, so that every run tries the same inputs. When a failure prints another seed and path, add them here. */
const seed = 20261124;

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'captures', name));
const plain = read('plain.pcap');

const [trace, traceparent] = ['a'.repeat(32), `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`];

/** The content of the captures: four requests over one connection, by Node's own client and server. */
const requests = [
  ['GET', '/work', 200, ['traceparent', traceparent], null],
  ['GET', '/chunked', 200, ['b3', `${trace}-${'2'.repeat(16)}-1`], 'c'.repeat(16)],
  ['POST', '/none', 200, [], null],
  ['HEAD', '/head', 200, [], null],
];

function summarize(bytes: Buffer) {
  return readCapture(bytes).records.map(({ method, path, status, sent, received, answered }) => {
    assert.deepEqual(received, sent);
    const headers = sent.headers.flatMap(({ name, value }) => [name, value]);
    return [method, path, status, headers, answered?.span?.spanId ?? null];
  });
}

suite('captures of tcpdump', () => {
  for (const name of ['plain.pcap', 'any.pcap']) {
    test(name, () => {
      assert.deepEqual(summarize(read(name)), requests);
      assert.deepEqual(readCapture(read(name)).gaps, []);
    });
  }

  test('addresses and times', () => {
    const [first] = readCapture(plain).records;
    assert.match(first?.time ?? '', /^2026-11-28T16:\d\d:\d\d\.\d{3}Z$/);
    assert.match(first?.calledAt ?? '', /^127\.0\.0\.1:\d+$/);
    assert.equal(first?.target, `http://${first?.calledAt}`);
    assert.notEqual(first?.callsFrom, first?.calledAt);
    assert.ok((first?.durationMs ?? 0) > 0);
  });
});

suite('the same packets in another form', () => {
  const segments = readPackets(plain).packets.flatMap((packet) => readSegment(packet) ?? []);
  const packets = (list: readonly Segment[]) =>
    list.map((segment) => ({ time: segment.time, bytes: writeSegment(segment) }));

  for (const isLittle of [true, false]) {
    test(`pcapng, ${isLittle ? 'little' : 'big'}-endian, in microseconds and nanoseconds`, () => {
      for (const digits of [6, 9]) {
        const bytes = writePcapng(packets(segments), isLittle, digits);
        assert.deepEqual(summarize(bytes), requests);
        assert.equal(readCapture(bytes).records[0]?.time, readCapture(plain).records[0]?.time);
      }
    });
  }

  test('split in any way, with segments repeated and late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.infiniteStream(fc.nat(9)), (size, random) => {
        const pieces = segments.flatMap((segment) => split(segment, size));
        const twice = pieces.flatMap((piece) => (random.next().value === 0 ? [piece, piece] : [piece]));
        const late = swapNeighbours(twice, () => random.next().value === 0);
        assert.deepEqual(summarize(writePcap(packets(late))), requests);
      }),
      { seed, numRuns: 50 },
    );
  });

  test('sequence numbers that wrap', () => {
    const first = segments.find(({ isSyn }) => isSyn)?.sequence ?? 0;
    const moved = segments.map((segment) => ({
      ...segment,
      sequence: (segment.sequence - first + 2 ** 32 - 20) % 2 ** 32,
    }));
    assert.deepEqual(summarize(writePcap(packets(moved))), requests);
  });

  test('a capture that begins within a connection', () => {
    const at = segments.findIndex(({ payload }) => payload.toString('latin1').startsWith('GET /chunked'));
    assert.deepEqual(summarize(writePcap(packets(segments.slice(at)))), requests.slice(1));
  });

  test('a lost packet costs its own request, and says nothing of its headers', () => {
    const lost = segments.findIndex(({ payload }) => payload.toString('latin1').startsWith('GET /work'));
    const left = segments.filter((_, index) => index !== lost);
    assert.deepEqual(
      summarize(writePcap(packets(left))).map(([, path]) => path),
      ['/chunked', '/none', '/head'],
    );
  });
});

suite('packets that were not captured', () => {
  const talk = drawTalk(8);

  test('an answer is never assigned to another request', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(talk.length - 1), { minLength: 1, maxLength: 6 }), (lost) => {
        const left = talk.filter((_, index) => !lost.includes(index));
        const bytes = writePcap(
          left.map((segment) => ({ time: segment.time, bytes: writeSegment(segment) })),
        );
        for (const { path, answered } of readCapture(bytes).records) {
          const spanId = answered?.span?.spanId ?? null;
          assert.ok(spanId === null || spanId === numberOf(path), `${path} was answered by ${spanId}`);
        }
      }),
      { seed, numRuns: 500 },
    );
  });

  test('the calls after a gap have their answers', () => {
    for (const lost of [1, 2]) {
      const left = talk.filter((_, index) => index !== lost);
      const bytes = writePcap(left.map((segment) => ({ time: segment.time, bytes: writeSegment(segment) })));
      const named = readCapture(bytes).records.filter(({ answered }) => answered?.span != null);
      assert.deepEqual(
        named.map(({ path }) => path),
        Array.from({ length: 7 }, (_, index) => `/${index + 2}`),
      );
    }
  });
});

suite('what cannot be read is reported', () => {
  const rows: readonly (readonly [why: string, bytes: Buffer, message: RegExp])[] = [
    ['empty', plain.subarray(0, 24), /holds no packet/],
    ['cut within its first packet', plain.subarray(0, 50), /ends within its first packet/],
    ['cut within its head', plain.subarray(0, 10), /ends within its first packet/],
    ['packets cut by the capture', read('cut.pcap'), /no whole request.*cut short.*-s 0/],
    ['TLS', talk(Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])), /1 encrypted connection.*TLS/],
    ['HTTP/2', talk(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')), /HTTP\/2.*propagation-check tap/],
    ['another protocol', talk(Buffer.from('*1\r\n$4\r\nPING\r\n')), /1 TCP connection and no HTTP request/],
  ];
  for (const [why, bytes, message] of rows) {
    test(why, () => {
      const { records, gaps } = readCapture(bytes);
      assert.deepEqual([records.length, gaps.length], [0, 1]);
      assert.match(gaps.join(), message);
    });
  }

  for (const [why, bytes, message] of [
    ['damaged', damage(plain), /damaged at byte 24/],
    ['of another network', setLinkType(plain, 147), /link type 147.*not read/],
  ] satisfies [string, Buffer, RegExp][]) {
    test(why, () =>
      assert.throws(
        () => readCapture(bytes),
        (error) => error instanceof PacketFileError && message.test(error.message),
      ),
    );
  }

  test('a capture that ends within a packet gives what came before, and says so', () => {
    const { records, gaps } = readCapture(plain.subarray(0, -10));
    assert.ok(records.length > 0);
    assert.match(gaps.join(), /ends within a packet/);
  });

  test('any bytes after the magic number give an error or a capture', () => {
    const packets = readPackets(plain).packets.flatMap((packet) => readSegment(packet) ?? []);
    const other = writePcapng(
      packets.map((one) => ({ time: one.time, bytes: writeSegment(one) })),
      true,
      6,
    );
    const place = fc.nat(plain.length - 5);
    fc.assert(
      fc.property(
        fc.constantFrom(plain, other),
        place,
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        (from, at, noise) => {
          const bytes = Buffer.from(from);
          const start = 4 + (at % (bytes.length - 4));
          bytes.set(noise.subarray(0, bytes.length - start), start);
          try {
            readCapture(bytes);
          } catch (error) {
            assert.ok(error instanceof PacketFileError, String(error));
          }
        },
      ),
      { seed, numRuns: 200 },
    );
  });
});

function split(segment: Segment, size: number): readonly Segment[] {
  const { payload, sequence } = segment;
  if (payload.length === 0) return [segment];
  return Array.from({ length: Math.ceil(payload.length / size) }, (_, index) => ({
    ...segment,
    sequence: (sequence + index * size) % 2 ** 32,
    payload: payload.subarray(index * size, (index + 1) * size),
  }));
}

function swapNeighbours(list: readonly Segment[], isSwapped: () => boolean): readonly Segment[] {
  const swapped = [...list];
  for (let at = 0; at + 1 < swapped.length; at += 1) {
    const [one, other] = [swapped[at], swapped[at + 1]];
    // A capture has the packets of one direction in any order, but a request before its answer.
    if (one === undefined || other === undefined || one.from !== other.from || one.isSyn || !isSwapped())
      continue;
    swapped.splice(at, 2, other, one);
  }
  return swapped;
}

function damage(bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes);
  damaged.writeUInt32LE(0x7fffffff, 32);
  return damaged;
}

function setLinkType(bytes: Buffer, type: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(type, 20);
  return changed;
}

/** The span that the answer to the request for this path names. */
function numberOf(path: string): string {
  return path.slice(1).padStart(16, '0');
}

/** A connection with requests for `/1`, `/2` and so on, and one answer for each given span, each message in a segment of its own. */
function drawTalk(requests: number): readonly Segment[] {
  const ends = { from: '10.0.0.1:4000', to: '10.0.0.2:8080', isEnd: false };
  const back = { from: ends.to, to: ends.from, isEnd: false };
  let [asked, answered] = [1_000, 5_000];
  const talk: Segment[] = [
    { ...ends, time: 0, sequence: asked - 1, acknowledged: 0, isSyn: true, payload: Buffer.alloc(0) },
  ];
  for (let number = 1; number <= requests; number += 1) {
    const request = Buffer.from(`GET /${number} HTTP/1.1\r\nhost: b\r\n\r\n`);
    const answer = Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntraceresponse: 00-${trace}-${numberOf(`/${number}`)}-01\r\n\r\n`,
    );
    const time = number * 10;
    const numbers = { isSyn: false, time, sequence: asked, acknowledged: answered };
    talk.push({ ...ends, ...numbers, payload: request });
    asked += request.length;
    talk.push({
      ...back,
      ...numbers,
      time: time + 5,
      sequence: answered,
      acknowledged: asked,
      payload: answer,
    });
    answered += answer.length;
  }
  return talk;
}

/** A connection on which the caller sends the given bytes. */
function talk(payload: Buffer): Buffer {
  const segment = {
    time: 0,
    from: '10.0.0.1:4000',
    to: '10.0.0.2:443',
    sequence: 1,
    acknowledged: 1,
    isSyn: false,
    isEnd: false,
    payload,
  };
  return writePcap([{ time: 0, bytes: writeSegment(segment) }]);
}
