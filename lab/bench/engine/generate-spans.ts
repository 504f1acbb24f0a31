import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { decodeJsonLines, encodeOtlpProtobuf } from 'propagation-check/kit';
import { createRandom } from '../../create-random.ts';

export interface Generated {
  readonly spans: number;
  /** Share of the calls, from 0 to 1, whose callee begins a new trace. */
  readonly broken: number;
  /** All spans in one trace, or three in each. */
  readonly isOneTrace: boolean;
  readonly format: 'json' | 'protobuf';
  /** Number of this file among several: each has other ids, and later times than the file before. Default 0. */
  readonly part?: number;
}

const seed = 20_261_128;
const services = 20;
const spansPerLine = 64;
const traceBytes = 16;
const spanBytes = 8;
const firstTime = 1_700_000_000_000_000_000n;
/** Pause between two requests in microseconds. */
const pause = 500;
const writeBytes = 1024 * 1024;

/**
 * Writes a file of calls between services, as their SDKs export them: the caller's SERVER span, a CLIENT span below it, and the callee's
 * SERVER span, with the attributes of the stock HTTP instrumentation. The same options give the same bytes.
 */
export async function generateSpans(
  path: string,
  { spans, broken, isOneTrace, format, part = 0 }: Generated,
): Promise<void> {
  const out = createWriteStream(path);
  const random = createRandom(seed + part);
  const begin = firstTime + BigInt(part * spans * pause * 1_000);
  const hex = (bytes: number) =>
    Array.from({ length: bytes / 4 }, () => random().toString(16).padStart(8, '0')).join('');
  const batches = Array.from({ length: services }, (): string[] => []);
  let pending = '';
  const flush = async (service: number) => {
    const batch = batches[service] ?? [];
    if (batch.length === 0) return;
    const line = `${writeLine(service, batch.splice(0))}\n`;
    if (format === 'json') pending += line;
    else await write(out, frame(encodeOtlpProtobuf(decodeJsonLines(Buffer.from(line)))));
    if (pending.length < writeBytes) return;
    await write(out, pending);
    pending = '';
  };
  const add = async (service: number, span: string) => {
    const batch = batches[service] ?? [];
    batch.push(span);
    if (batch.length >= spansPerLine) await flush(service);
  };
  const oneTrace = hex(traceBytes);
  const oneRoot = hex(spanBytes);
  if (isOneTrace)
    await add(
      0,
      writeServer({ traceId: oneTrace, spanId: oneRoot, parent: '', from: begin, id: 0, port: 1 }),
    );
  for (let count = isOneTrace ? 1 : 0, request = 0; count < spans; request += 1) {
    const caller = isOneTrace ? 0 : random() % (services / 2);
    const callee = services / 2 + (random() % (services / 2));
    const traceId = isOneTrace ? oneTrace : hex(traceBytes);
    const [root, client, server] = [isOneTrace ? oneRoot : hex(spanBytes), hex(spanBytes), hex(spanBytes)];
    const from = begin + BigInt(request * pause * 1_000);
    const id = random() % 100_000;
    const port = 30_000 + (random() % 30_000);
    const isBroken = random() % 10_000 < broken * 10_000;
    if (!isOneTrace) await add(caller, writeServer({ traceId, spanId: root, parent: '', from, id, port }));
    await add(
      caller,
      writeClient({ traceId, spanId: client, parent: root, from: from + 2_000_000n, id, callee }),
    );
    const below = isBroken ? { traceId: hex(traceBytes), parent: '' } : { traceId, parent: client };
    await add(callee, writeServer({ ...below, spanId: server, from: from + 3_000_000n, id, port }));
    count += isOneTrace ? 2 : 3;
  }
  for (let service = 0; service < services; service += 1) await flush(service);
  out.end(pending);
  await once(out, 'close');
}

async function write(out: NodeJS.WritableStream, data: string | Uint8Array): Promise<void> {
  if (!out.write(data)) await once(out, 'drain');
}

/** Frames a request as the Collector's file exporter does with `format: proto`. */
function frame(request: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(request.length);
  return Buffer.concat([length, request]);
}

function writeLine(service: number, spans: readonly string[]): string {
  const attributes = [
    text('service.name', `service-${service}`),
    text('service.instance.id', `service-${service}-0`),
    ...[text('telemetry.sdk.language', 'nodejs'), text('telemetry.sdk.name', 'opentelemetry')],
    ...[
      text('telemetry.sdk.version', '3.0.0'),
      text('host.name', `pod-${service}`),
      integer('process.pid', 12),
    ],
  ];
  const scope = '{"name":"@opentelemetry/instrumentation-http","version":"0.300.0"}';
  return `{"resourceSpans":[{"resource":{"attributes":[${attributes}]},"scopeSpans":[{"scope":${scope},"spans":[${spans}]}]}]}`;
}

interface Spot {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string;
  readonly from: bigint;
  readonly id: number;
}

function writeServer({ port, ...spot }: Spot & { readonly port: number }): string {
  return writeSpan(spot, 'GET /items/:id', 2, 10_000_000n, [
    ...[
      text('http.request.method', 'GET'),
      text('url.scheme', 'http'),
      text('url.path', `/items/${spot.id}`),
    ],
    ...[
      text('server.address', 'internal'),
      integer('server.port', 8080),
      text('network.protocol.version', '1.1'),
    ],
    ...[
      text('user_agent.original', 'node'),
      text('network.peer.address', '10.0.0.1'),
      integer('network.peer.port', port),
    ],
    ...[integer('http.response.status_code', 200), text('http.route', '/items/:id')],
  ]);
}

function writeClient({ callee, ...spot }: Spot & { readonly callee: number }): string {
  return writeSpan(spot, 'GET', 3, 12_000_000n, [
    ...[
      text('http.request.method', 'GET'),
      text('url.full', `http://service-${callee}:8080/items/${spot.id}`),
    ],
    ...[
      text('server.address', `service-${callee}`),
      integer('server.port', 8080),
      text('user_agent.original', 'node'),
    ],
    ...[text('network.peer.address', '10.0.0.2'), integer('network.peer.port', 8080)],
    integer('http.response.status_code', 200),
  ]);
}

function writeSpan(
  { traceId, spanId, parent, from }: Spot,
  name: string,
  kind: number,
  duration: bigint,
  attributes: readonly string[],
): string {
  const flags = kind === 2 && parent !== '' ? 0x301 : 0x101;
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}","parentSpanId":"${parent}","flags":${flags},"name":"${name}","kind":${kind},` +
    `"startTimeUnixNano":"${from}","endTimeUnixNano":"${from + duration}","attributes":[${attributes}],"status":{}}`
  );
}

function text(key: string, value: string): string {
  return `{"key":"${key}","value":{"stringValue":"${value}"}}`;
}

function integer(key: string, value: number): string {
  return `{"key":"${key}","value":{"intValue":"${value}"}}`;
}
