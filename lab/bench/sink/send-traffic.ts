/** Sends traffic from a process of its own, as fast as the receiver answers. */
import { once } from 'node:events';
import { Agent, request as requestHttp } from 'node:http';
import { connect } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeTraffic, patchRequest } from './encode-traffic.ts';

export interface SendTask {
  readonly url: string;
  readonly protocol: 'grpc' | 'http';
  readonly spans: number;
  readonly brokenShare: number;
}

export interface Sent {
  readonly spans: number;
  readonly intact: number;
  readonly broken: number;
  /** Requests that were refused and sent again. */
  readonly refused: number;
  readonly milliseconds: number;
}

/** Requests that differ; each is sent again as other traces. */
const differentRequests = 100;
/** As the Collector's exporters have by default. */
const sendersAtOnce = 10;

if (process.send !== undefined) {
  process.once('message', (task: SendTask) => {
    void send(task).then((sent) => process.send?.(sent, () => process.exit()));
  });
  process.send('ready');
}

async function send({ url, protocol, spans, brokenShare }: SendTask): Promise<Sent> {
  const traffic = encodeTraffic(differentRequests, brokenShare);
  const rounds = Math.max(1, Math.round(spans / traffic.spans));
  const post = protocol === 'grpc' ? openGrpc(url) : openHttp(url);
  let refused = 0;
  // Each request is used by one sender at a time: its memory is written anew.
  const turns = (function* () {
    for (let round = 1; round <= rounds; round += 1)
      for (const request of traffic.requests) yield { round, request };
  })();
  const begunAt = performance.now();
  const sender = async () => {
    for (const { round, request } of turns) {
      const body = patchRequest(request, round, BigInt(Date.now()) * 1_000_000n);
      for (let retryMs = await post(body); retryMs !== null; retryMs = await post(body)) {
        refused += 1;
        await delay(retryMs);
      }
    }
  };
  await Promise.all(Array.from({ length: sendersAtOnce }, sender));
  const milliseconds = performance.now() - begunAt;
  const { intact, broken } = traffic;
  return {
    ...{ spans: rounds * traffic.spans, intact: rounds * intact, broken: rounds * broken },
    ...{ refused, milliseconds },
  };
}

/** Null when it was taken; otherwise after how many milliseconds to try again. */
type Post = (body: Buffer) => Promise<number | null>;

const unavailable = 503;
const second = 1_000;

function openHttp(url: string): Post {
  const agent = new Agent({ keepAlive: true, maxSockets: sendersAtOnce });
  return async (body) => {
    const request = requestHttp(`${url}/v1/traces`, {
      ...{ agent, method: 'POST' },
      headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length },
    }).end(body);
    const [response] = await once(request, 'response');
    await buffer(response);
    if (response.statusCode === 200) return null;
    if (response.statusCode !== unavailable) throw new Error(`the receiver answered ${response.statusCode}`);
    return Number(response.headers['retry-after'] ?? 1) * second;
  };
}

const resourceExhausted = '8';

function openGrpc(url: string): Post {
  const session = connect(url);
  return async (body) => {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    stream.write(prefix);
    stream.end(body);
    const headers = once(stream, 'response');
    const trailers = once(stream, 'trailers').catch(() => [{}]);
    await buffer(stream);
    const [head] = await headers;
    const status = head['grpc-status'] ?? (await trailers)[0]['grpc-status'];
    if (status === '0') return null;
    if (status !== resourceExhausted) throw new Error(`the receiver answered ${status}`);
    return second;
  };
}
