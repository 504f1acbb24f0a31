/** Exporters without an SDK: they send encoded bodies, each as soon as the one before is answered. */
import { once } from 'node:events';
import { Agent, request as requestHttp } from 'node:http';
import { connect } from 'node:http2';
import { buffer } from 'node:stream/consumers';

/** An answer to an export. */
export interface Reply {
  /** HTTP or gRPC status code. */
  readonly status: number;
  readonly isTaken: boolean;
  /** Seconds; null when the answer does not say. */
  readonly retryAfter: number | null;
}

export interface Exporter extends AsyncDisposable {
  post(body: Buffer): Promise<Reply>;
  /** @throws {Error} when the export is not accepted. */
  send(body: Buffer): Promise<void>;
}

const ok = 200;

/** @param sockets Maximum number of open connections. */
export function openHttp(
  url: string,
  protocol: 'http/json' | 'http/protobuf',
  sockets: number,
  headers = {},
): Exporter {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
  const post = async (body: Buffer): Promise<Reply> => {
    const request = requestHttp(`${url}/v1/traces`, {
      ...{ agent, method: 'POST' },
      headers: { 'content-type': type, 'content-length': body.length, ...headers },
    }).end(body);
    const [response] = await once(request, 'response');
    await buffer(response);
    const after = response.headers['retry-after'];
    const retryAfter = after === undefined ? null : Number(after);
    return { status: response.statusCode, isTaken: response.statusCode === ok, retryAfter };
  };
  return { post, send: sendBy(post), [Symbol.asyncDispose]: async () => agent.destroy() };
}

export function openGrpc(url: string): Exporter {
  const session = connect(url);
  const post = async (body: Buffer): Promise<Reply> => {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    stream.write(prefix);
    stream.end(body);
    const headers = once(stream, 'response');
    // A refusal may be trailers-only: its status is then in the response headers.
    const trailers = once(stream, 'trailers').catch(() => [{}]);
    await buffer(stream);
    const [head] = await headers;
    const status = Number(head['grpc-status'] ?? (await trailers)[0]['grpc-status']);
    return { status, isTaken: status === 0, retryAfter: null };
  };
  return { post, send: sendBy(post), [Symbol.asyncDispose]: async () => session.destroy() };
}

function sendBy(post: Exporter['post']): Exporter['send'] {
  return async (body) => {
    const { status, isTaken } = await post(body);
    if (!isTaken) throw new Error(`the receiver answered ${status}`);
  };
}
