import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Link } from '@opentelemetry/api';

/** A header as it is on the wire: several of one name, any spelling, white space around its value. */
export type RawHeader = readonly [name: string, value: string];

export interface ServerSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string;
  readonly links: readonly Link[];
}

export interface Service extends AsyncDisposable {
  /** Has the service make `calls` calls while it serves a request with these headers. */
  send(headers: readonly RawHeader[], calls?: number): Promise<Exchange>;
  readSpans(): Promise<readonly ServerSpan[]>;
}

export interface Exchange {
  /** The head of the service's answer. */
  readonly answer: string;
  /** The headers of each call that the service made. */
  readonly sent: readonly IncomingHttpHeaders[];
}

/** Starts the service in a process of its own, as a user would, beside a server that receives its calls. */
export async function startService(env: Readonly<Record<string, string>>): Promise<Service> {
  let sent: IncomingHttpHeaders[] = [];
  const callee = createServer((request, response) => {
    sent.push(request.headers);
    response.end();
  });
  callee.listen(0, '127.0.0.1');
  await once(callee, 'listening');
  const address = callee.address();
  if (address === null || typeof address === 'string') throw new Error('the callee has no port');
  const callUrl = `http://127.0.0.1:${address.port}`;

  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, ['--import', './telemetry.ts', 'server.ts'], {
    cwd: import.meta.dirname,
    env: { PATH, NODE_COMPILE_CACHE, OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = new URL(await readFirstLine(child));

  return {
    async send(headers, calls = 1) {
      sent = [];
      const body = JSON.stringify(Array(calls).fill(callUrl));
      const fields = [
        ['host', url.host],
        ['connection', 'close'],
        ['content-type', 'application/json'],
        ['content-length', String(body.length)],
        ...headers,
      ];
      const head = fields.map(([name, value]) => `${name}:${value}\r\n`).join('');
      const socket = connect(Number(url.port), url.hostname);
      socket.write(`POST /call HTTP/1.1\r\n${head}\r\n${body}`);
      const [answer = ''] = (await text(socket)).split('\r\n\r\n', 1);
      return { answer, sent };
    },
    async readSpans() {
      return JSON.parse(await (await fetch(new URL('/spans', url))).text());
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      callee.close();
      callee.closeAllConnections();
    },
  };
}

async function readFirstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('stdout is not a pipe');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the service ended before it listened');
}
