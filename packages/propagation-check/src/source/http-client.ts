import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import tls from 'node:tls';
import { Agent, type Dispatcher, request } from 'undici';
import { DecodeError } from '../decode/decode-error.ts';
import { gunzip } from '../decode/gunzip.ts';
import { quoteValue } from '../decode/quote-value.ts';
import { messageOf } from '../util/message-of.ts';
import { omitUndefined } from '../util/omit-undefined.ts';
import { describeBrokenAnswer, describeHttpFailure, type Peer } from './http-failure.ts';
import { followPolicy, type HttpAnswer, type RawAnswer } from './http-policy.ts';
import { SourceError } from './source.ts';

/** Options of requests to a remote source. */
export interface HttpClientOptions {
  /** Sent with every request, for instance `authorization` or `x-scope-orgid`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM file with the certificate authority of the source, in addition to those that Node trusts. */
  readonly caFile?: string;
  /** Timeout of one attempt, from connecting to the last byte. Default 15,000 ms. */
  readonly timeoutMs?: number;
  /** Number of attempts while the answer is 429 or 503. Default 4. */
  readonly attempts?: number;
  /** Largest answer, uncompressed. Default 256 MiB. */
  readonly maxResponseBytes?: number;
}

/** A client of one HTTP API. */
export interface HttpClient {
  /** The expected server, for messages. */
  readonly peer: Peer;
  /** `jaeger=http://localhost:16686`, for messages. */
  readonly name: string;
  /**
   * @param path Below the base URL, without a leading slash: `api/v3/traces`.
   * @returns The answer, whatever its status, except for the statuses below.
   * @throws {SourceError} when there is no answer, on 401 and 403, on a redirect to another origin, on a fourth redirect, and when 429 or
   *   503 remain after all attempts.
   */
  get(path: string, query: URLSearchParams, accept: string, signal?: AbortSignal): Promise<HttpAnswer>;
  /** As `get`. */
  post(path: string, content: HttpContent, signal?: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface HttpContent {
  readonly type: string;
  readonly body: Uint8Array;
}

const defaults = { timeoutMs: 15_000, attempts: 4, maxResponseBytes: 256 * 1024 * 1024 } as const;

const headerOption = '--header';
const passCredentials = 'pass credentials with --header, for instance --header "Authorization: Bearer …"';
/** --collector-metrics takes no headers. */
const askElsewhere =
  '--collector-metrics sends no credentials: ask at an address that needs none, such as http://localhost:8888/metrics where the Collector runs';
const peers = {
  jaeger: { name: 'Jaeger', port: 'its query port (16686)', headerOption },
  tempo: { name: 'Tempo', port: 'its query port (3200)', headerOption },
  collector: { name: 'the Collector', port: 'the port of its own metrics', headerOption },
  forward: { name: 'the Collector', port: 'its OTLP/HTTP port (4318)', headerOption },
} as const satisfies Readonly<Record<string, Peer>>;

/**
 * @param kind The kind in the source's specification: `jaeger`.
 * @throws {SourceError} when the CA file cannot be read.
 */
export async function createHttpClient(
  kind: keyof typeof peers,
  baseUrl: URL,
  options: HttpClientOptions = {},
): Promise<HttpClient> {
  const name = `${kind === 'forward' ? '--forward ' : `${kind}=`}${baseUrl.origin}${baseUrl.pathname.replace(/\/$/, '')}`;
  const settings = { ...defaults, ...omitUndefined(options) };
  const agent = await createAgent(name, settings.timeoutMs, options.caFile);
  const ask = (path: string, exchange: Pick<Exchange, 'accept' | 'content' | 'signal'>, search = '') => {
    const first = new URL(path, `${baseUrl.origin}${baseUrl.pathname.replace(/\/?$/, '/')}`);
    first.search = search;
    const askUrl = (url: URL) => askOnce({ name, peer: peers[kind], agent, settings, url, ...exchange });
    const advice = kind === 'collector' ? askElsewhere : passCredentials;
    return followPolicy({ name, advice }, first, settings.attempts, askUrl, exchange.signal);
  };
  return {
    name,
    peer: peers[kind],
    get: (path, query, accept, signal) => ask(path, { accept, content: null, signal }, query.toString()),
    post: (path, content, signal) => ask(path, { accept: content.type, content, signal }),
    close: () => agent.destroy(),
  };
}

async function createAgent(name: string, timeoutMs: number, caFile: string | undefined): Promise<Agent> {
  const ca = caFile === undefined ? undefined : [...trustedCertificates(), await readCaFile(name, caFile)];
  return new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) },
  });
}

/** The certificates that Node trusts without a CA file. They include `NODE_EXTRA_CA_CERTS` if Node has `getCACertificates`. */
function trustedCertificates(): readonly string[] {
  const { getCACertificates }: Partial<typeof tls> = tls;
  return getCACertificates?.('default') ?? tls.rootCertificates;
}

async function readCaFile(name: string, path: string): Promise<string> {
  try {
    const pem = await readFile(path, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const reason = messageOf(error);
    throw new SourceError(`${name}: the CA file is not a readable PEM certificate: ${reason}`);
  }
}

interface Exchange {
  readonly name: string;
  readonly peer: Peer;
  readonly agent: Agent;
  readonly settings: Required<Pick<HttpClientOptions, 'timeoutMs' | 'maxResponseBytes'>> & HttpClientOptions;
  readonly url: URL;
  readonly accept: string;
  /** The body of a POST; null for a GET. */
  readonly content: HttpContent | null;
  readonly signal: AbortSignal | undefined;
}

async function askOnce(exchange: Exchange): Promise<RawAnswer> {
  const { name, peer, agent, settings, url, accept, content, signal } = exchange;
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(settings.timeoutMs);
  let hasBegun = false;
  try {
    const response = await request(url, {
      dispatcher: agent,
      headers: {
        ...settings.headers,
        accept,
        'accept-encoding': 'gzip',
        ...(content === null ? {} : { 'content-type': content.type }),
      },
      // An idle connection may be closed just as a POST is sent, and a POST cannot be repeated safely.
      ...(content === null ? {} : { method: 'POST', body: content.body, reset: true }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    hasBegun = true;
    return {
      url,
      status: response.statusCode,
      contentType: header(response, 'content-type').split(';')[0]?.trim().toLowerCase() ?? '',
      location: header(response, 'location'),
      retryAfter: header(response, 'retry-after'),
      body: await readBody(response, settings.maxResponseBytes),
    };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (timeout.aborted) {
      throw new SourceError(`${name}: no complete answer within ${settings.timeoutMs} ms (--timeout)`);
    }
    if (error instanceof SourceError || error instanceof DecodeError) {
      throw new SourceError(`${name}: ${error.message}`);
    }
    const what = hasBegun ? describeBrokenAnswer(error) : describeHttpFailure(peer, error);
    throw new SourceError(`${name}: ${what}`);
  }
}

function header(response: Dispatcher.ResponseData, name: string): string {
  const value = response.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

async function readBody(response: Dispatcher.ResponseData, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    if (!(chunk instanceof Uint8Array)) continue;
    length += chunk.length;
    // Leaving the loop destroys the connection.
    if (length > maxBytes)
      throw new SourceError(`the answer is larger than ${maxBytes} bytes; narrow the search`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const encoding = header(response, 'content-encoding').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return body;
  if (encoding === 'gzip' || encoding === 'x-gzip') return gunzip(body, maxBytes);
  throw new SourceError(
    `the answer is compressed with ${quoteValue(encoding)}, which was not asked for; is there a proxy in between?`,
  );
}
