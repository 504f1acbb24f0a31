import type { Span } from 'propagation-check';
import { encodeOtlpProtobuf } from 'propagation-check/kit';
import { createRandom } from '../../create-random.ts';

/** Requests that can be sent repeatedly, each time with other trace ids and times. */
export interface Traffic {
  readonly requests: readonly PatchableRequest[];
  readonly spans: number;
  /** Number of intact and of broken calls in the requests. */
  readonly intact: number;
  readonly broken: number;
}

interface PatchableRequest {
  readonly body: Buffer;
  readonly spans: number;
  /** Offsets in `body` of the bytes of ids that hold the round number. */
  readonly rounds: readonly number[];
  /** Offsets in `body` of times, and how many nanoseconds each time is before the moment of sending. */
  readonly times: readonly { readonly at: number; readonly before: bigint }[];
}

const spansPerRequest = 2_048;
const spansPerCall = 3;
const services = 20;
const resources = Array.from(
  { length: services },
  (_, service) =>
    new Map<string, string>([
      ['service.name', `service-${service}`],
      ['service.instance.id', `service-${service}-0`],
      ['telemetry.sdk.language', 'nodejs'],
    ]),
);
const routes = 50;
/** Placeholders: the first four bytes of every id, and the upper half of every time. */
const roundMark = 0x5eed5eed;
const timeMark = 0x5eed_beefn;
const microsecond = 1_000n;
/** The time within which all spans of one request end. */
const spreadMicroseconds = 200_000;

/**
 * Encodes calls between services, three spans per trace. The calls of one edge are broken: the callee begins a new trace. Ids and times are
 * written when a request is sent.
 */
export function encodeTraffic(requests: number): Traffic {
  const random = createRandom(20_261_128);
  let [intact, broken, id] = [0, 0, 0];
  const nextId = () => {
    id += 1;
    return `${roundMark.toString(16)}${id.toString(16).padStart(8, '0')}`;
  };
  const made = Array.from({ length: requests }, () => {
    const spans: Span[] = [];
    while (spans.length + spansPerCall <= spansPerRequest) {
      const caller = random() % (services / 2);
      const callee = services / 2 + (random() % (services / 2));
      const isBroken = caller === 0 && callee === services / 2;
      const start = 1_000_000 + (random() % spreadMicroseconds);
      const path = `/items/${random() % routes}`;
      spans.push(...makeCall({ caller, callee, isBroken, start, path }, nextId));
      if (isBroken) broken += 1;
      else intact += 1;
    }
    return makeRequest(spans);
  });
  return { requests: made, spans: made.reduce((sum, { spans }) => sum + spans, 0), intact, broken };
}

interface Call {
  readonly caller: number;
  readonly callee: number;
  readonly isBroken: boolean;
  /** Microseconds before the moment of sending. */
  readonly start: number;
  readonly path: string;
}

function makeCall({ caller, callee, isBroken, start, path }: Call, nextId: () => string): readonly Span[] {
  const [root, client, server, other] = [nextId(), nextId(), nextId(), nextId()];
  const traceId = traceOf(root);
  const above = isBroken
    ? { traceId: traceOf(other), parentSpanId: null }
    : { traceId, parentSpanId: client };
  return [
    makeSpan({
      ...{ service: caller, path, traceId, spanId: root, parentSpanId: null, kind: 'SERVER' },
      ...{ start, duration: 10_000 },
    }),
    makeSpan({
      ...{ service: caller, path, traceId, spanId: client, parentSpanId: root, kind: 'CLIENT', callee },
      ...{ start: start - 1_000, duration: 8_000 },
    }),
    makeSpan({
      ...{ service: callee, path, ...above, spanId: server, kind: 'SERVER' },
      ...{ start: start - 2_000, duration: 6_000 },
    }),
  ];
}

function makeSpan(spot: Spot): Span {
  const { service, callee, path, kind } = spot;
  const resource = resources[service] ?? new Map();
  const called = `service-${callee}`;
  const attributes: [string, string | number][] =
    kind === 'CLIENT'
      ? [
          ['http.request.method', 'GET'],
          ['url.full', `http://${called}:8080${path}`],
          ['server.address', called],
          ['server.port', 8080],
          ['http.response.status_code', 200],
        ]
      : [
          ['http.request.method', 'GET'],
          ['url.path', path],
          ['url.scheme', 'http'],
          ['http.route', '/items/:id'],
          ['user_agent.original', 'node'],
          ['network.peer.address', '10.0.0.1'],
          ['http.response.status_code', 200],
        ];
  return {
    ...{ traceId: spot.traceId, spanId: spot.spanId, parentSpanId: spot.parentSpanId, kind },
    ...{ traceState: '', flags: spot.parentSpanId !== null && kind === 'SERVER' ? 0x301 : 0x101 },
    name: kind === 'CLIENT' ? 'GET' : 'GET /items/:id',
    startTimeUnixNano: markTime(spot.start),
    endTimeUnixNano: markTime(spot.start - spot.duration),
    attributes: new Map(attributes),
    ...{ links: [], status: { code: 'UNSET', message: '' } as const },
    ...{ serviceName: `service-${service}`, resource, scopeName: '@opentelemetry/instrumentation-http' },
  };
}

interface Spot {
  readonly service: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly kind: 'SERVER' | 'CLIENT';
  readonly path: string;
  readonly callee?: number;
  /** Microseconds before the moment of sending. */
  readonly start: number;
  readonly duration: number;
}

/** Writes the ids of a round and the current times into the request's own buffer. */
export function patchRequest({ body, rounds, times }: PatchableRequest, round: number, now: bigint): Buffer {
  for (const at of rounds) body.writeUInt32BE(round, at);
  for (const { at, before } of times) body.writeBigUInt64LE(now - before, at);
  return body;
}

function traceOf(spanId: string): string {
  return `${spanId}${spanId}`;
}

function markTime(microsecondsBefore: number): bigint {
  return (timeMark << 32n) | BigInt(microsecondsBefore);
}

function makeRequest(spans: readonly Span[]): PatchableRequest {
  const body = Buffer.from(encodeOtlpProtobuf(spans));
  const mark = Buffer.alloc(4);
  mark.writeUInt32BE(roundMark);
  const highHalf = Buffer.alloc(4);
  highHalf.writeUInt32LE(Number(timeMark));
  const times = findAll(body, highHalf).map((high) => {
    const at = high - 4;
    return { at, before: BigInt(body.readUInt32LE(at)) * microsecond };
  });
  return { body, spans: spans.length, rounds: findAll(body, mark), times };
}

function findAll(bytes: Buffer, pattern: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + pattern.length))
    found.push(at);
  return found;
}
