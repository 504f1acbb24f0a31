import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { EventEmitter, on, once } from 'node:events';
// Named, and without a loader hook for ES modules: that is what the fault `missing-esm-hook` is about.
import { get, type IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { context, propagation, trace } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { Fetch, FetchAnswer } from './call-b.ts';
import type { Propagation } from './config.ts';

/**
 * Every way in which the demo breaks propagation. Both services get the same `FAULT`: each knows all the names
 * and changes only what is its own.
 */
export const faultNames = [
  'strip-traceparent',
  'cut-traceparent',
  'rewrite-traceparent',
  'shorten-trace-id',
  'unsample-traceparent',
  'drop-baggage',
  'propagator-mismatch',
  'propagator-none',
  'extract-disabled',
  'client-not-instrumented',
  'missing-esm-hook',
  'late-initialisation',
  'duplicate-traceparent',
  'wrong-span-injected',
  'context-lost',
  'stale-context',
  'body-never-read',
  'caller-not-sampled',
  'callee-not-sampled',
  'exporter-down',
  'service-unnamed',
  'clock-skew',
] as const;

export type FaultName = (typeof faultNames)[number];

/** What a fault changes in this service; nothing here knows of assertions. */
export interface Fault {
  /** The only mode in which it breaks anything; absent where it does in both. */
  readonly onlyIn?: Propagation;
  /** Environment variables for the SDK. They win over what the user has set. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `false`: nothing makes CLIENT spans or injects, neither instrumentation nor the code for manual mode. */
  readonly instrumentClient?: false;
  /** Service B must not ask for TLS. */
  readonly needsHttp?: true;
  /** Puts something in front of service B and answers with the URL to use instead of B's; that speaks no TLS. */
  readonly stepBetween?: (serviceB: URL) => Promise<URL>;
  /** Wraps the function that sends the request. */
  readonly wrapFetch?: (fetch: Fetch) => Fetch;
  /** Called once at start: makes the function that runs each call to B. */
  readonly createRunner?: () => Runner;
}

export type Runner = <Result>(call: () => Promise<Result>) => Promise<Result>;

const madeByServiceB: Fault = {};

export const faults: Readonly<Record<FaultName, Fault>> = {
  // A proxy or gateway passes on only the headers it knows.
  'strip-traceparent': { stepBetween: proxyWith((line) => (isTraceparent(line) ? null : line)) },

  // A proxy limits the length of header values.
  'cut-traceparent': { stepBetween: proxyWith(cutTraceparent) },

  // A proxy makes a span of its own, names it in the header, and delivers it nowhere.
  'rewrite-traceparent': { stepBetween: proxyWith(renameParent) },

  // A proxy knows trace ids of 64 bits only.
  'shorten-trace-id': { stepBetween: proxyWith(shortenTraceId) },

  // A proxy decides for itself what is sampled, and B follows it.
  'unsample-traceparent': { stepBetween: proxyWith(clearFlags) },

  // One of two gateways does not know the header. Only manual mode sends any.
  'drop-baggage': {
    onlyIn: 'manual',
    stepBetween: (serviceB) => proxyWith(createBaggageFilter())(serviceB),
  },

  // A sends b3, and B understands W3C Trace Context only.
  'propagator-mismatch': { environment: { OTEL_PROPAGATORS: 'b3' } },

  // Propagation is configured away: A has its CLIENT span and sends no header.
  'propagator-none': { environment: { OTEL_PROPAGATORS: 'none' } },

  'extract-disabled': madeByServiceB,

  // The HTTP client is one that nobody instruments.
  'client-not-instrumented': { instrumentClient: false },

  // The HTTP client came by an ES import, and the instrumentation patches only what is required.
  'missing-esm-hook': { onlyIn: 'auto', needsHttp: true, wrapFetch: () => fetchByNodeHttp },

  'late-initialisation': madeByServiceB,

  // A wrapper around `fetch` injects, and so does whoever propagates already.
  'duplicate-traceparent': { wrapFetch: injectOnceMore },

  // The headers are made before the CLIENT span is. With instrumentation this sends two, as above.
  'wrong-span-injected': { onlyIn: 'manual', wrapFetch: injectServerSpan },

  // The call is made by a worker that began before the request and serves them all.
  'context-lost': { createRunner: startWorker },

  // The call is made by a callback that was created for the first request and serves them all.
  'stale-context': { createRunner: keepFirstContext },

  // Nobody reads B's (long) answer to its end, so an instrumented `fetch` never ends its span.
  'body-never-read': { onlyIn: 'auto', wrapFetch: readOnlyBeginning },

  // A takes no part in tracing, and B does not follow its decision.
  'caller-not-sampled': { environment: { OTEL_TRACES_SAMPLER: 'always_off' } },

  'callee-not-sampled': madeByServiceB,
  'exporter-down': madeByServiceB,
  'service-unnamed': madeByServiceB,
  'clock-skew': madeByServiceB,
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

/** Where a SERVER span is active in the place of the CLIENT span, as it is before that has begun. */
function injectServerSpan(fetch: Fetch): Fetch {
  return (url, init) => {
    const server = getRPCMetadata(context.active())?.span;
    const active = server === undefined ? context.active() : trace.setSpan(context.active(), server);
    const headers = new Headers(init.headers);
    propagation.inject(active, headers, { set: (carrier, name, value) => carrier.set(name, value) });
    return fetch(url, { ...init, headers });
  };
}

/** As `fetch`, for what service A asks. */
async function fetchByNodeHttp(url: URL, { signal }: RequestInit): Promise<Response> {
  const request = get(url, { ...(signal ? { signal } : {}) });
  const answers: readonly IncomingMessage[] = await once(request, 'response');
  const [answer] = answers;
  if (answer === undefined) throw new Error('no answer');
  const headers = { 'content-type': answer.headers['content-type'] ?? '' };
  return new Response(await text(answer), { status: answer.statusCode ?? 500, headers });
}

/** As far as the first blank, which no answer of B has before its padding. The rest is neither read nor cancelled. */
function readOnlyBeginning(fetch: Fetch): Fetch {
  // A response that nobody holds any more is cancelled when memory is collected.
  const unread: FetchAnswer[] = [];
  return async (url, init) => {
    // A timeout would end the span.
    const response = await fetch(url, { ...init, signal: null });
    unread.push(response);
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let beginning = '';
    while (reader !== undefined && !beginning.includes(' ')) {
      const { value, done } = await reader.read();
      if (done) break;
      beginning += decoder.decode(value, { stream: true });
    }
    return new Response(beginning, response);
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

/** What a pool does that takes over the callback of whoever came first, with everything that was active then. */
function keepFirstContext(): Runner {
  let enter: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined;
  return (call) => {
    enter ??= AsyncLocalStorage.snapshot();
    return enter(call);
  };
}

/** What becomes of a line of a request's head, which still has its carriage return; null drops it. */
type EditLine = (line: string) => string | null;

function isTraceparent(line: string): boolean {
  return /^traceparent:/i.test(line);
}

function cutTraceparent(line: string): string {
  return line.replace(/^(traceparent: *\S{40})\S*/i, '$1');
}

function renameParent(line: string): string {
  return line.replace(
    /^(traceparent: *00-[0-9a-f]{32}-)[0-9a-f]{16}/i,
    (_header, head: string) => head + randomBytes(8).toString('hex'),
  );
}

function shortenTraceId(line: string): string {
  return line.replace(/^(traceparent: *00-)[0-9a-f]{16}/i, (_header, head: string) => head + '0'.repeat(16));
}

function clearFlags(line: string): string {
  return line.replace(/^(traceparent: *\S{53})\S{2}/i, (_header, head: string) => `${head}00`);
}

/** The first request goes the way on which baggage is lost, the second the other, and so on. */
function createBaggageFilter(): EditLine {
  let requests = 0;
  return (line) => {
    if (/ HTTP\/1\.1\r?$/.test(line)) requests += 1;
    return requests % 2 === 1 && /^baggage:/i.test(line) ? null : line;
  };
}

/** A proxy that listens on a free port of the loopback interface. It lives as long as the process. */
function proxyWith(edit: EditLine): (serviceB: URL) => Promise<URL> {
  return async (serviceB) => {
    const host = serviceB.hostname.replace(/^\[|\]$/g, '');
    const port = Number(serviceB.port || 80);
    const proxy = createServer((client) => {
      const upstream = connect({ host, port });
      // An error on one side ends both: A sees a closed connection, as behind any proxy.
      pipeline(client, createLineEditor(edit), upstream, () => {});
      pipeline(upstream, client, () => {});
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    proxy.unref();
    const address = proxy.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP address');
    const url = new URL(serviceB);
    url.host = `127.0.0.1:${address.port}`;
    return url;
  };
}

/** A sends only requests without a body, so every line is a request line or a header. */
function createLineEditor(edit: EditLine): Transform {
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      const kept = lines.flatMap((line) => edit(line) ?? []).map((line) => `${line}\n`);
      done(null, Buffer.from(kept.join(''), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(rest, 'latin1'));
    },
  });
}
