import * as z from 'zod';
import { DecodeError } from '../decode/decode-error.ts';
import { decodeBytes } from '../decode/detect-format.ts';
import { mapWithPath } from '../decode/map-with-path.ts';
import { decodeOtlpProtobuf } from '../decode/otlp-protobuf.ts';
import { parseJson } from '../decode/parse-json.ts';
import { anyArray, readShape } from '../decode/read-shape.ts';
import { decodeTempoProtobuf } from '../decode/tempo-protobuf.ts';
import type { Span } from '../span/span.ts';
import { mapConcurrently } from '../util/map-concurrently.ts';
import { decodeAnswer, describeAnswer, describeGateway, readObject } from './decode-answer.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.ts';
import { type HttpAnswer, isHtml } from './http-policy.ts';
import { type Source, SourceError, type TraceQuery } from './source.ts';
import { checkTraceId } from './trace-id.ts';

const protobuf = 'application/protobuf';
const readsAtOnce = 4;

/**
 * Grafana Tempo's trace API: `/api/v2/traces/{id}`, and `/api/traces/{id}` if v2 is missing. Protobuf is preferred, JSON is accepted. A
 * search gets trace ids by TraceQL, then reads each trace.
 * @param baseUrl The URL of Tempo's query frontend, with its prefix: `http://localhost:3200`.
 * @throws {SourceError} when the CA file cannot be read.
 */
export async function createTempoSource(baseUrl: URL, options: HttpClientOptions = {}): Promise<Source> {
  const client = await createHttpClient('tempo', baseUrl, options);
  let echoes: boolean | null = null;
  const isTempo = async (signal: AbortSignal | undefined): Promise<boolean> => {
    echoes ??= await hasEcho(client, signal);
    return echoes;
  };
  const readTrace = (traceId: string, signal: AbortSignal | undefined) =>
    readOneTrace(client, isTempo, traceId, signal);
  return {
    name: client.name,
    readTrace: async (traceId, signal) => readTrace(checkTraceId(client.name, traceId), signal),
    searchIds: async (query, signal) => searchIds(client, query, signal),
    searchTraces: async (query, signal) => {
      const ids = await searchIds(client, query, signal);
      return (await mapConcurrently(ids, readsAtOnce, (id) => readTrace(id, signal))).flat();
    },
    close: () => client.close(),
  };
}

async function readOneTrace(
  client: HttpClient,
  isTempo: (signal: AbortSignal | undefined) => Promise<boolean>,
  traceId: string,
  signal: AbortSignal | undefined,
): Promise<readonly Span[]> {
  const id = traceId.padStart(32, '0');
  const accept = `${protobuf}, application/json;q=0.9`;
  const v2 = await client.get(`api/v2/traces/${id}`, new URLSearchParams(), accept, signal);
  if (v2.status === 200 && !isHtml(v2)) return decodeTrace(client, v2, decodeTempoProtobuf);
  if (v2.status !== 404 && !isHtml(v2)) throw new SourceError(describeUnexpected(client, v2));
  // A Tempo without v2 and a Tempo without the trace both answer 404.
  const v1 = await client.get(`api/traces/${id}`, new URLSearchParams(), accept, signal);
  if (v1.status === 404 && !isHtml(v1)) {
    if (saysNotFound(v1) || (v1.body.length === 0 && (await isTempo(signal)))) return [];
    throw new SourceError(describeUnexpected(client, v1));
  }
  if (v1.status !== 200 || isHtml(v1)) throw new SourceError(describeUnexpected(client, v1));
  return decodeTrace(client, v1, decodeOtlpProtobuf);
}

/**
 * Whether a 404 is Tempo's answer for a missing trace: a text, or an answer without a trace from a querier. Since 2.5 a query frontend
 * sends an empty body.
 */
function saysNotFound(answer: HttpAnswer): boolean {
  if (isProtobuf(answer) || hasFieldOfTempo(answer)) return true;
  return /^(?:trace not found|unable to find [0-9a-f]+)/i.test(new TextDecoder().decode(answer.body));
}

/** Whether the query frontend's `/api/echo` answers `echo`; Grafana tests a connection in the same way. */
async function hasEcho(client: HttpClient, signal: AbortSignal | undefined): Promise<boolean> {
  const { status, body } = await client.get('api/echo', new URLSearchParams(), 'text/plain', signal);
  return status === 200 && new TextDecoder().decode(body).trim() === 'echo';
}

/** An answer without spans counts only in Tempo's own shape: other programs also answer `{}` and `[]`. */
function decodeTrace(
  client: HttpClient,
  answer: HttpAnswer,
  decodeProtobuf: (bytes: Uint8Array) => readonly Span[],
): readonly Span[] {
  if (isProtobuf(answer)) return decodeAnswer(client, answer, decodeProtobuf);
  const spans = decodeAnswer(client, answer, (bytes) => decodeBytes(bytes).spans);
  if (spans.length > 0 || hasFieldOfTempo(answer)) return spans;
  throw new SourceError(describeUnexpected(client, answer));
}

function isProtobuf(answer: HttpAnswer): boolean {
  return answer.contentType.endsWith('protobuf');
}

/** Source: Tempo, `tempo.proto`: `TraceByIDResponse` and, in v1, `Trace`. */
function hasFieldOfTempo(answer: HttpAnswer): boolean {
  const document = readObject(answer);
  return document !== null && ['trace', 'batches', 'metrics'].some((field) => Object.hasOwn(document, field));
}

/** Empty fields are omitted, but `metrics` is always present. Source: Tempo, `tempo.proto`, `SearchResponse`. */
const searchShape = z.object({ traces: anyArray.nullish(), metrics: z.unknown().optional() });
const foundShape = z.object({ traceID: z.string() });

async function searchIds(
  client: HttpClient,
  { service, startTimeMin, startTimeMax, limit }: TraceQuery,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const query = new URLSearchParams({
    q: service === null ? '{}' : `{ resource.service.name = ${quoteTraceQl(service)} }`,
    start: String(Math.floor(startTimeMin / 1_000)),
    end: String(Math.ceil(startTimeMax / 1_000)),
    limit: String(limit),
  });
  const answer = await client.get('api/search', query, 'application/json', signal);
  if (answer.status !== 200 || isHtml(answer)) throw new SourceError(describeUnexpected(client, answer));
  try {
    const { traces, metrics } = readShape(searchShape, parseJson(answer.body));
    if (!traces && !metrics) throw new SourceError(describeUnexpected(client, answer));
    const found = mapWithPath(traces ?? [], 'traces', (trace) => readShape(foundShape, trace));
    return found.slice(0, limit).map(({ traceID }) => checkTraceId(client.name, traceID));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new SourceError(`${client.name}: the search's answer cannot be read: ${error.message}`);
  }
}

function quoteTraceQl(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

function describeUnexpected(client: HttpClient, answer: HttpAnswer): string {
  const isStranger = answer.status === 200 || answer.status === 404 || isHtml(answer);
  return (
    `${client.name}: ${answer.url.pathname} answered ${describeAnswer(answer)}, not ${isStranger ? "Tempo's API" : 'a trace'}; ` +
    `${describeGateway(answer, client.peer)}use the address of Tempo’s query frontend (port 3200 by default); a tenant is named with --header "X-Scope-OrgID: …"`
  );
}
