import type { WireRecord } from '../headers/evidence.ts';
import { pathOf } from '../headers/path-of.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readWireContext } from '../headers/read-wire-context.ts';
import { countOf } from '../util/count-of.ts';
import { type Message, MessageReader } from './http-messages.ts';
import { type Ordered, SegmentOrder } from './order-segments.ts';
import { PacketFileError, readPackets } from './read-packets.ts';
import { isKnownLinkType, readSegment, type Segment } from './tcp-segment.ts';

/** The plain HTTP in a packet capture. */
export interface Capture {
  readonly records: readonly WireRecord[];
  /** Notes on missing parts; each completes a sentence that begins with the file name. */
  readonly gaps: readonly string[];
}

/**
 * Reads HTTP/1 requests and answers from packets. A capture is taken on the connection itself: no hop is between it and either end. If it
 * has no request, which may be normal at its beginning, `gaps` says what it contains instead.
 * @throws {PacketFileError} if the file is damaged or has an unsupported link type.
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
    // A SYN on the ports of an ended connection begins another connection.
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
  if (records.length === 0 && counts.unknownLinks.length > 0) {
    throw new PacketFileError(
      `its packets have link type ${counts.unknownLinks.join(', ')}, which is not read; capture with tcpdump -i any`,
    );
  }
  if (records.length === 0) return { records, gaps: [explainNone(counts, isTruncated)] };
  return {
    records,
    gaps: [
      ...(isTruncated ? ['it ends within a packet: the capture is still being written, or was killed'] : []),
      ...(cut > 0
        ? [`${countOf(cut, 'packet')} cut short, so that requests may be missing; capture with -s 0`]
        : []),
      ...(counts.tls > 0 ? [`${countOf(counts.tls, 'encrypted connection')} (TLS) left out`] : []),
      ...(counts.http2 > 0
        ? [`${countOf(counts.http2, 'connection')} of HTTP/2 left out; propagation-check tap reads it`]
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

function explainNone({ packets, cut, connections, tls, http2 }: Counts, isTruncated: boolean): string {
  if (packets === 0) {
    return isTruncated
      ? 'ends within its first packet; capture again'
      : 'holds no packet; did the requests go over this interface?';
  }
  if (cut > 0) return 'holds no whole request, as its packets are cut short; capture with -s 0';
  if (tls > 0)
    return `holds ${countOf(tls, 'encrypted connection')} (TLS) and no plain HTTP; capture behind the proxy that ends TLS, or use propagation-check tap`;
  if (http2 > 0) return 'holds HTTP/2 and no HTTP/1 request; use propagation-check tap';
  return `holds ${countOf(connections, 'TCP connection')} and no HTTP request; did the requests go through, and is the port the right one?`;
}

const tlsHandshake = 0x16;
const http2Preface = 'PRI * HTTP/2.0';

interface Exchange {
  readonly request: Message;
  readonly from: string;
  readonly to: string;
  answer: Answer | null;
}

interface Answer {
  readonly head: Message;
  end: number;
}

/** Both directions of a TCP connection. The sender of the request is the caller. */
class Connection {
  isEnded = false;
  protocol: 'tls' | 'http2' | null = null;
  readonly #orders = new Map<string, SegmentOrder>();
  readonly #readers = new Map<string, MessageReader>();
  readonly #exchanges: Exchange[] = [];
  readonly #answers: Answer[] = [];
  /** By the answer byte that the caller expected next when it sent the request; null if several requests expected the same. */
  readonly #awaiting = new Map<number, Exchange | null>();
  #caller: string | null = null;
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
    for (const [place, answer] of this.#answers.entries()) {
      const exchange = this.#findExchange(answer.head, place);
      if (exchange !== null) exchange.answer = answer;
    }
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
    const exchange = { request, from, to, answer: null };
    this.#exchanges.push(exchange);
    if (request.start !== null) {
      const { acknowledged } = request.start;
      this.#awaiting.set(acknowledged, this.#awaiting.has(acknowledged) ? null : exchange);
    }
    return false;
  }

  #addAnswer(head: Message): boolean {
    const isInterim = head.status < 200 && head.status !== 101;
    if (isInterim) return true;
    const place = this.#answers.push({ head, end: head.time }) - 1;
    return this.#findExchange(head, place)?.request.method === 'HEAD' || head.status === 101;
  }

  /**
   * Answers come in the order of the requests. After a gap either may be missing: then an answer belongs to the request that acknowledged
   * all bytes before the answer.
   */
  #findExchange(answer: Message, place: number): Exchange | null {
    const exchange = this.#exchanges[place];
    if (exchange !== undefined && !exchange.request.isAfterGap && !answer.isAfterGap) return exchange;
    return (answer.start === null ? null : this.#awaiting.get(answer.start.sequence)) ?? null;
  }

  #endAnswer(time: number): void {
    const answer = this.#answers.at(-1);
    if (answer !== undefined) answer.end = Math.max(answer.end, time);
  }
}

function describeExchange({ request, from, to, answer }: Exchange): WireRecord {
  const context = readWireContext(request.fields);
  return {
    time: new Date(request.time).toISOString(),
    durationMs: answer === null ? 0 : answer.end - request.time,
    tap: `packets to ${to}`,
    target: `http://${to}`,
    client: null,
    server: null,
    // A capture does not name its machine, and is usually read on another one.
    host: null,
    calledAt: to,
    callsFrom: from,
    protocolVersion: request.protocolVersion,
    method: request.method,
    path: pathOf(request.url),
    sent: context,
    received: context,
    faults: [],
    status: answer?.head.status ?? null,
    answered: answer === null ? null : readAnsweredContext(answer.head.fields),
    clientAborted: false,
    targetError: answer === null ? 'no answer in the capture' : null,
  };
}
