import * as z from 'zod';
import { decodeBytes } from '../decode/detect-format.ts';
import { decodeJaegerJson } from '../decode/jaeger-json.ts';
import { isObject } from '../decode/otlp-json-value.ts';
import { parseJson } from '../decode/parse-json.ts';
import { readShape } from '../decode/read-shape.ts';
import { refuseZipkinV1 } from '../decode/zipkin-v1.ts';
import type { Span } from '../span/span.ts';
import { chooseLikely } from './choose-likely.ts';
import { decodeAnswer, describeAnswer, describeGateway, readObject } from './decode-answer.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.ts';
import { type HttpAnswer, isHtml, summarize } from './http-policy.ts';
import { groupByTrace } from './select-spans.ts';
import { type Source, SourceError, type TraceQuery } from './source.ts';
import { checkTraceId } from './trace-id.ts';

/** The most services that a search of all services searches: each takes one request. */
const mostServices = 20;

/**
 * Jaeger's query service: API v3 with raw traces, or the v1 JSON API of the UI if v3 is missing. Raw traces are needed because Jaeger
 * otherwise rewrites span ids and parents.
 * @param baseUrl The URL of the UI, with its base path: `http://localhost:16686`.
 * @throws {SourceError} when the CA file cannot be read.
 */
export async function createJaegerSource(baseUrl: URL, options: HttpClientOptions = {}): Promise<Source> {
  const client = await createHttpClient('jaeger', baseUrl, options);
  let hasV3: boolean | null = null;
  /** The services that searches of all services searched, and the number of all. */
  const searched = new Set<string>();
  let known = 0;

  async function read({ v3, v1 }: Question, signal: AbortSignal | undefined): Promise<readonly Span[]> {
    if (hasV3 !== false) {
      const answer = await client.get(v3.path, v3.query, 'application/json', signal);
      const spans = readV3(client, answer);
      if (spans !== null) {
        hasV3 = true;
        return spans;
      }
      if (hasV3) throw new SourceError(describeUnexpected(client, answer));
    }
    const answer = await client.get(v1.path, v1.query, 'application/json', signal);
    const spans = readV1(client, answer);
    hasV3 = false;
    return spans;
  }

  return {
    name: client.name,
    get complaints() {
      return searched.size < known ? [describeLeftOut(client.name, known, [...searched])] : [];
    },
    readTrace: async (traceId, signal) => read(askForTrace(checkTraceId(client.name, traceId)), signal),
    searchTraces: async (query, signal) => {
      if (query.service !== null) return read(askForTraces(query.service, query), signal);
      const services = await listServices(client, hasV3, signal);
      const chosen = chooseLikely(services, query.likely ?? [], mostServices);
      known = services.length;
      for (const service of chosen) searched.add(service);
      const traces = new Map<string, readonly Span[]>();
      for (const service of chosen) {
        const found = groupByTrace(await read(askForTraces(service, query), signal));
        for (const [traceId, spans] of found) traces.set(traceId, spans);
      }
      return [...traces.values()].flat();
    },
    listServices: (signal) => listServices(client, hasV3, signal),
    close: () => client.close(),
  };
}

/** The most services that a message names. */
const mostNamed = 3;

function describeLeftOut(name: string, known: number, searched: readonly string[]): string {
  return (
    `${name} has ${known} services, and the other sides of calls were searched for in ${searched.length} of them: ` +
    `${searched.slice(0, mostNamed).join(', ')} and ${searched.length - mostNamed} more; name the called service with --expect "CALLER -> CALLED"`
  );
}

/** Reads `{"services": […]}` of API v3 or `{"data": […]}` of v1. @param hasV3 Null while this is unknown. */
async function listServices(
  client: HttpClient,
  hasV3: boolean | null,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const ask = (path: string) => client.get(path, new URLSearchParams(), 'application/json', signal);
  let answer = await ask(hasV3 === false ? 'api/services' : 'api/v3/services');
  if (hasV3 === null && (answer.status === 404 || isHtml(answer))) answer = await ask('api/services');
  if (answer.status === 404 || isHtml(answer)) throw new SourceError(describeUnexpected(client, answer));
  if (answer.status !== 200) throw new SourceError(describeStatus(client, answer));
  const document = decodeAnswer(client, answer, parseJson);
  // An empty list may be left out.
  const isStranger =
    isObject(document) &&
    Object.keys(document).length > 0 &&
    !['services', 'data'].some((field) => Object.hasOwn(document, field));
  if (isStranger || Array.isArray(document)) throw new SourceError(describeUnexpected(client, answer));
  const { services, data } = decodeAnswer(client, answer, () => readShape(servicesShape, document));
  return services ?? data ?? [];
}

const servicesShape = z.object({
  services: z.array(z.string()).nullish(),
  data: z.array(z.string()).nullish(),
});

interface Request {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The same request for both APIs. */
interface Question {
  readonly v3: Request;
  readonly v1: Request;
}

function askForTrace(id: string): Question {
  return {
    v3: {
      path: `api/v3/traces/${id}`,
      query: new URLSearchParams({ rawTraces: 'true', raw_traces: 'true' }),
    },
    v1: { path: `api/traces/${id}`, query: new URLSearchParams({ raw: 'true' }) },
  };
}

function askForTraces(service: string, { startTimeMin, startTimeMax, limit }: TraceQuery): Question {
  // Both names of each parameter: Jaeger 2.19 renamed them.
  const min = new Date(startTimeMin).toISOString();
  const max = new Date(startTimeMax).toISOString();
  const v3 = new URLSearchParams({
    'query.serviceName': service,
    'query.service_name': service,
    'query.startTimeMin': min,
    'query.start_time_min': min,
    'query.startTimeMax': max,
    'query.start_time_max': max,
    'query.searchDepth': String(limit),
    'query.search_depth': String(limit),
    'query.num_traces': String(limit),
    'query.rawTraces': 'true',
    'query.raw_traces': 'true',
  });
  const v1 = new URLSearchParams({
    service,
    start: String(Math.trunc(startTimeMin * 1_000)),
    end: String(Math.trunc(startTimeMax * 1_000)),
    limit: String(limit),
    raw: 'true',
  });
  return { v3: { path: 'api/v3/traces', query: v3 }, v1: { path: 'api/traces', query: v1 } };
}

/**
 * @returns Null when the answer is not from an API v3, but from another program or a Jaeger without v3. An answer without spans counts
 *   only in Jaeger's own shape, because other programs also answer 404, `{}` and `[]`.
 */
function readV3(client: HttpClient, answer: HttpAnswer): readonly Span[] | null {
  if (answer.status === 404) return isErrorOfV3(answer) ? [] : null;
  if (answer.status === 405 || answer.status === 501 || isHtml(answer)) return null;
  if (answer.status !== 200) throw new SourceError(describeStatus(client, answer));
  // The gateway of older versions streams: one document on each line, and an empty body when a search finds nothing.
  if (answer.body.length === 0) return null;
  const { spans, format } = decodeAnswer(client, answer, decodeBytes);
  return spans.length > 0 || format === 'jaeger-v3' || format === 'json-lines' ? spans : null;
}

/** @throws {SourceError} when the answer is not from Jaeger. */
function readV1(client: HttpClient, answer: HttpAnswer): readonly Span[] {
  if (answer.status === 404 && isErrorOfV1(answer)) return [];
  if (isHtml(answer) || answer.status === 404) throw new SourceError(describeUnexpected(client, answer));
  if (answer.status !== 200) throw new SourceError(describeStatus(client, answer));
  const document = decodeAnswer(client, answer, parseJson);
  decodeAnswer(client, answer, () => refuseZipkinV1(document));
  if (!isEnvelopeOfV1(document)) throw new SourceError(describeUnexpected(client, answer));
  return decodeAnswer(client, answer, () => decodeJaegerJson(document));
}

/** Every answer of v1 has `data` and `errors`. An empty `data` alone does not identify it: many programs answer that. */
function isEnvelopeOfV1(document: unknown): boolean {
  if (!isObject(document) || !Object.hasOwn(document, 'data')) return false;
  return Object.hasOwn(document, 'errors') || (Array.isArray(document.data) && document.data.length > 0);
}

/**
 * Whether an error is one of Jaeger's API v3: `{"error":{"httpCode":404,"message":"…"}}`. The gRPC gateway of older versions writes the
 * same. Source: Jaeger, `api_v3.GRPCGatewayError`.
 */
function isErrorOfV3(answer: HttpAnswer): boolean {
  const error = readObject(answer)?.error;
  return isObject(error) && error.httpCode === answer.status;
}

/** `{"data":null,…,"errors":[{"code":404,"msg":"trace not found"}]}`. Source: Jaeger, `structuredResponse`. */
function isErrorOfV1(answer: HttpAnswer): boolean {
  const errors = readObject(answer)?.errors;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return isObject(first) && typeof first.msg === 'string';
}

function describeStatus(client: HttpClient, answer: HttpAnswer): string {
  return `${client.name}: ${answer.url.pathname} answered ${answer.status}: ${summarize(answer)}`;
}

function describeUnexpected(client: HttpClient, answer: HttpAnswer): string {
  return (
    `${client.name}: ${answer.url.pathname} answered ${describeAnswer(answer)}, not Jaeger's API; ` +
    `${describeGateway(answer, client.peer)}use the address of Jaeger’s UI (port 16686 by default) with its base path, if it has one`
  );
}
