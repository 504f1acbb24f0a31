import { EventEmitter, on } from 'node:events';
import { connect, createServer } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { context, propagation } from '@opentelemetry/api';
import type { Fetch } from './call-b.ts';

/**
 * Every way in which the demo breaks propagation. Both services get the same `FAULT`: each knows all the names
 * and changes only what is its own.
 */
export const faultNames = [
  'strip-traceparent',
  'propagator-mismatch',
  'propagator-none',
  'client-not-instrumented',
  'duplicate-traceparent',
  'context-lost',
] as const;

export type FaultName = (typeof faultNames)[number];

/** What a fault changes in this service; nothing here knows of assertions. All of it works in both modes. */
export interface Fault {
  /** Environment variables for the SDK. They win over what the user has set. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `false`: nothing makes CLIENT spans or injects, neither instrumentation nor the code for manual mode. */
  readonly instrumentClient?: false;
  /** Puts something in front of service B and answers with the URL to use instead of B's. */
  readonly stepBetween?: (serviceB: URL) => Promise<URL>;
  /** Wraps the function that sends the request. */
  readonly wrapFetch?: (fetch: Fetch) => Fetch;
  /** Called once at start: makes the function that runs each call to B. */
  readonly createRunner?: () => Runner;
}

export type Runner = <Result>(call: () => Promise<Result>) => Promise<Result>;

export const faults: Readonly<Record<FaultName, Fault>> = {
  // A proxy or gateway passes on only the headers it knows.
  'strip-traceparent': { stepBetween: startStrippingProxy },

  // A sends b3, and B understands W3C Trace Context only.
  'propagator-mismatch': { environment: { OTEL_PROPAGATORS: 'b3' } },

  // Propagation is configured away: A has its CLIENT span and sends no header.
  'propagator-none': { environment: { OTEL_PROPAGATORS: 'none' } },

  // The HTTP client is one that nobody instruments.
  'client-not-instrumented': { instrumentClient: false },

  // A wrapper around `fetch` injects, and so does whoever propagates already.
  'duplicate-traceparent': { wrapFetch: injectOnceMore },

  // The call is made by a worker that began before the request and serves them all.
  'context-lost': { createRunner: startWorker },
};

function injectOnceMore(fetch: Fetch): Fetch {
  return (url, init) => {
    const headers = new Headers(init.headers);
    propagation.inject(context.active(), headers, {
      set: (carrier, name, value) => carrier.append(name, value),
    });
    return fetch(url, { ...init, headers });
  };
}

/** A queue and one worker. The worker's context is the one in which it was started: none. */
function startWorker(): Runner {
  const queue = new EventEmitter();
  void work(queue);
  return (call) =>
    new Promise((resolve, reject) => {
      queue.emit('job', () => call().then(resolve, reject));
    });
}

async function work(queue: EventEmitter): Promise<void> {
  for await (const [job] of on(queue, 'job')) job();
}

/** Listens on a free port of the loopback interface. It lives as long as the process. */
async function startStrippingProxy(serviceB: URL): Promise<URL> {
  const host = serviceB.hostname.replace(/^\[|\]$/g, '');
  const port = Number(serviceB.port || 80);
  const proxy = createServer((client) => {
    const upstream = connect({ host, port });
    // An error on one side ends both: A sees a closed connection, as behind any proxy.
    pipeline(client, createLineFilter(/^traceparent:/i), upstream, () => {});
    pipeline(upstream, client, () => {});
  });
  await new Promise<void>((resolve, reject) => {
    proxy.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  proxy.unref();
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP address');
  const url = new URL(serviceB);
  url.host = `127.0.0.1:${address.port}`;
  return url;
}

/** Drops matching lines. A sends only requests without a body, so every line is a request line or a header. */
function createLineFilter(dropped: RegExp): Transform {
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      const kept = lines.filter((line) => !dropped.test(line)).map((line) => `${line}\n`);
      done(null, Buffer.from(kept.join(''), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(rest, 'latin1'));
    },
  });
}
