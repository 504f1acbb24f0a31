import { hostname } from 'node:os';
import type { WireRecord } from '../headers/evidence.ts';
import { pathOf } from '../headers/path-of.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readWireContext } from '../headers/read-wire-context.ts';
import { type Message, MessageReader } from './http-messages.ts';
import { type Ordered, SegmentOrder } from './order-segments.ts';
import { PacketFileError, readPackets } from './read-packets.ts';
import { isKnownLinkType, readSegment, type Segment } from './tcp-segment.ts';

/** What a capture of packets shows of plain HTTP. */
export interface Capture {
  readonly records: readonly WireRecord[];
  /** What a reader must know of what is missing; each is a sentence that follows the file's name. */
  readonly gaps: readonly string[];
}

/**
 * Reads requests and answers of HTTP/1 out of packets. A capture is on the connection itself: nothing stands between it and either end.
 * @throws {PacketFileError} where there is no request that can be read; the message says what there is instead.
 */
export function readCapture(bytes: Buffer): Capture {
  const { packets, isTruncated } = readPackets(bytes);
  const connections = new Map<string, Connection>();
  const linkTypes = new Set<number>();
  let cut = 0;
  for (const packet of packets) {
    linkTypes.add(packet.linkType);
    if (packet.bytes.length < packet.length) cut += 1;
    const segment = isKnownLinkType(packet.linkType) ? readSegment(packet) : null;
    if (segment === null) continue;
    const key = [segment.from, segment.to].sort().join(' ');
    const known = connections.get(key);
    // The same ports again are another connection.
    const isNew = known === undefined || (segment.isSyn && known.isEnded);
    if (isNew && known !== undefined) connections.set(`${key} ${connections.size}`, known);
    const connection = isNew ? new Connection() : known;
    if (isNew) connections.set(key, connection);
    connection.add(segment);
  }
  const all = [...connections.values()];
  const records = all.flatMap((connection) => connection.finish());
  const counts = {
    packets: packets.length,
    cut,
    connections: all.length,
    tls: all.filter(({ protocol }) => protocol === 'tls').length,
    http2: all.filter(({ protocol }) => protocol === 'http2').length,
    unknownLinks: [...linkTypes].filter((type) => !isKnownLinkType(type)),
  };
  if (records.length === 0) throw new PacketFileError(explainNone(counts, isTruncated));
  return {
    records,
    gaps: [
      ...(isTruncated ? ['it ends within a packet: the capture is still being written, or was killed'] : []),
      ...(cut > 0
        ? [`${count(cut, 'packet')} cut short, so that requests may be missing; capture with -s 0`]
        : []),
      ...(counts.tls > 0 ? [`${count(counts.tls, 'encrypted connection')} (TLS) left out`] : []),
      ...(counts.http2 > 0
        ? [`${count(counts.http2, 'connection')} of HTTP/2 left out; propagation-check tap reads it`]
        : []),
    ],
  };
}

interface Counts {
  readonly packets: number;
  readonly cut: number;
  readonly connections: number;
  readonly tls: number;
  readonly http2: number;
  readonly unknownLinks: readonly number[];
}

function explainNone(
  { packets, cut, connections, tls, http2, unknownLinks }: Counts,
  isTruncated: boolean,
): string {
  if (packets === 0) {
    return isTruncated
      ? 'ends within its first packet; capture again'
      : 'holds no packet; did the requests go over this interface?';
  }
  if (unknownLinks.length > 0)
    return `its packets have link type ${unknownLinks.join(', ')}, which is not read; capture with tcpdump -i any`;
  if (cut > 0) return 'holds no whole request, as its packets are cut short; capture with -s 0';
  if (tls > 0)
    return `holds ${count(tls, 'encrypted connection')} (TLS) and no plain HTTP; capture behind the proxy that ends TLS, or use propagation-check tap`;
  if (http2 > 0) return 'holds HTTP/2 and no HTTP/1 request; use propagation-check tap';
  return `holds ${count(connections, 'TCP connection')} and no HTTP request; did the requests go through, and is the port the right one?`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

const tlsHandshake = 0x16;
const http2Preface = 'PRI * HTTP/2.0';

interface Exchange {
  readonly request: Message;
  readonly from: string;
  readonly to: string;
  answer: Message | null;
  end: number;
}

/** Both directions of a TCP connection. Whoever sends the request is the caller. */
class Connection {
  isEnded = false;
  protocol: 'tls' | 'http2' | null = null;
  readonly #orders = new Map<string, SegmentOrder>();
  readonly #readers = new Map<string, MessageReader>();
  readonly #exchanges: Exchange[] = [];
  #caller: string | null = null;
  /** How many exchanges have an answer: answers come in the order of the requests. */
  #answered = 0;
  #last = 0;

  add(segment: Segment): void {
    const { from, to, time, isEnd } = segment;
    this.isEnded ||= isEnd;
    this.#last = time;
    const order = this.#orders.get(from) ?? new SegmentOrder();
    this.#orders.set(from, order);
    for (const ordered of order.add(segment)) this.#read(from, to, ordered);
  }

  finish(): readonly WireRecord[] {
    for (const [from, order] of this.#orders) {
      const to = [...this.#orders.keys()].find((other) => other !== from) ?? '';
      for (const ordered of order.flush()) this.#read(from, to, ordered);
    }
    for (const reader of this.#readers.values()) reader.end(this.#last);
    return this.#exchanges.map(describeExchange);
  }

  #read(from: string, to: string, ordered: Ordered): void {
    const { bytes } = ordered;
    if (this.#exchanges.length === 0) {
      if (bytes[0] === tlsHandshake && bytes[1] === 3) this.protocol = 'tls';
      if (bytes.toString('latin1', 0, http2Preface.length) === http2Preface) this.protocol = 'http2';
    }
    if (this.#caller !== from) this.#readerOf(from, 'RESPONSE', to).read(ordered);
    if (this.#caller === null || this.#caller === from) this.#readerOf(from, 'REQUEST', to).read(ordered);
  }

  #readerOf(from: string, side: 'REQUEST' | 'RESPONSE', to: string): MessageReader {
    const key = `${side} ${from}`;
    const known = this.#readers.get(key);
    if (known !== undefined) return known;
    const reader = new MessageReader(
      side,
      side === 'REQUEST'
        ? { onHead: (request) => this.#addRequest(request, from, to), onEnd: () => {} }
        : { onHead: (answer) => this.#addAnswer(answer), onEnd: (time) => this.#endAnswer(time) },
    );
    this.#readers.set(key, reader);
    return reader;
  }

  #addRequest(request: Message, from: string, to: string): boolean {
    this.#caller = from;
    this.#exchanges.push({ request, from, to, answer: null, end: request.time });
    return false;
  }

  #addAnswer(answer: Message): boolean {
    const exchange = this.#exchanges[this.#answered];
    const isInterim = answer.status < 200 && answer.status !== 101;
    if (exchange === undefined || isInterim) return true;
    this.#answered += 1;
    exchange.answer = answer;
    exchange.end = answer.time;
    return exchange.request.method === 'HEAD' || answer.status === 101;
  }

  #endAnswer(time: number): void {
    const exchange = this.#exchanges[this.#answered - 1];
    if (exchange !== undefined) exchange.end = Math.max(exchange.end, time);
  }
}

function describeExchange({ request, from, to, answer, end }: Exchange): WireRecord {
  const context = readWireContext(request.fields);
  return {
    time: new Date(request.time).toISOString(),
    durationMs: end - request.time,
    tap: `packets to ${to}`,
    target: `http://${to}`,
    client: null,
    server: null,
    // Usually the machine that captured reads too. Of another one the services say so, and its loopback addresses prove nothing.
    host: hostname(),
    calledAt: to,
    callsFrom: from,
    protocolVersion: request.protocolVersion,
    method: request.method,
    path: pathOf(request.url),
    sent: context,
    received: context,
    faults: [],
    status: answer?.status ?? null,
    answered: answer === null ? null : readAnsweredContext(answer.fields),
    clientAborted: false,
    targetError: answer === null ? 'no answer in the capture' : null,
  };
}
