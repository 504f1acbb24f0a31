import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, suppressTracing } from '@opentelemetry/core';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** The result of one attempt. Source: OTLP specification, "OTLP/HTTP response". */
export type Outcome =
  /** The receiver has answered for all spans. It rejects `rejected` of them for good, for the reason in `message`. */
  | { readonly kind: 'delivered'; readonly rejected: number; readonly message: string }
  /** The receiver refuses the whole batch for good. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The next attempt may succeed. `isAnswered`: the receiver has answered. */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** An HTTP status or an error's code. */
      readonly code: string;
      readonly isAnswered: boolean;
      readonly retryAfterMillis: number;
    };

/** Explains what a person can do about a failure, by its code and message; null for unknown failures. */
export type Explain = (code: string, message: string) => string | null;

/** Statuses that concern this batch. All others concern the receiver, the access to it or the network, and may change. */
const permanentStatuses: ReadonlySet<number> = new Set([400, 413, 415, 422]);
/** How many bytes of an answer are read. */
const maxAnswerLength = 64 * 1024;
/** The longest wait that `Retry-After` may ask for. */
const maxRetryAfterMillis = 60_000;

/** The latest answer to the current export, as far as it has arrived. */
interface Exchange {
  answer: { readonly response: IncomingMessage; readonly chunks: Buffer[] } | null;
}

const exchanges = new AsyncLocalStorage<Exchange>();
let isListening = false;

/**
 * Lets the exporter make an attempt, with its own retries, within a deadline. Never rejects.
 *
 * An exporter reports whether a request succeeded, but neither the status of a retry nor the spans that the receiver rejects in part. So this
 * reads the answer itself, through Node.js's diagnostics channel. Exporters that do not use `node:http` work without these details.
 */
export async function attempt(
  exporter: SpanExporter,
  spans: ReadableSpan[],
  timeoutMillis: number,
  explain: Explain,
): Promise<Outcome> {
  listen();
  let deadline: NodeJS.Timeout | undefined;
  const exchange: Exchange = { answer: null };
  const result = await exchanges.run(
    exchange,
    () =>
      new Promise<ExportResult>((resolve) => {
        deadline = setTimeout(() => {
          exchange.answer = null;
          resolve({
            code: ExportResultCode.FAILED,
            error: new Error(`no result within ${timeoutMillis} ms`),
          });
        }, timeoutMillis);
        // Otherwise the HTTP instrumentation would make spans of the export.
        context.with(suppressTracing(ROOT_CONTEXT), () => {
          try {
            exporter.export(spans, resolve);
          } catch (error) {
            resolve({ code: ExportResultCode.FAILED, error: toError(error) });
          }
        });
      }),
  );
  clearTimeout(deadline);
  const { answer } = exchange;
  const bytes = Buffer.concat(answer?.chunks ?? []);
  const headers = answer?.response.headers ?? {};
  if (result.code === ExportResultCode.SUCCESS)
    return { kind: 'delivered', ...readPartialSuccess(bytes, headers['content-type']) };
  const status = answer?.response.statusCode ?? 200;
  return answer === null || status < 300
    ? describeError(result.error, explain)
    : describeAnswer(status, headers['retry-after'], bytes.toString(), explain);
}

function listen(): void {
  if (isListening) return;
  isListening = true;
  subscribe('http.client.response.finish', (message) => {
    const exchange = exchanges.getStore();
    if (exchange === undefined || !hasResponse(message)) return;
    const chunks: Buffer[] = [];
    let length = 0;
    exchange.answer = { response: message.response, chunks };
    message.response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxAnswerLength) chunks.push(chunk);
    });
  });
}

function hasResponse(message: unknown): message is { readonly response: IncomingMessage } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'response' in message &&
    message.response instanceof IncomingMessage
  );
}

function describeAnswer(
  status: number,
  retryAfter: string | undefined,
  body: string,
  explain: Explain,
): Outcome {
  const code = String(status);
  const known = explain(code, body);
  const reason = known ?? `status ${status}${body === '' ? '' : `, ${JSON.stringify(body.slice(0, 200))}`}`;
  // A failure that `explain` knows has its cause outside the batch, and a person can correct it.
  return permanentStatuses.has(status) && known === null
    ? { kind: 'refused', reason }
    : { kind: 'failed', reason, code, isAnswered: true, retryAfterMillis: readRetryAfter(retryAfter) };
}

function describeError(error: Error | undefined, explain: Explain): Outcome {
  const code = error !== undefined && 'code' in error ? String(error.code) : 'unknown';
  // After attempts at several addresses the error has only a code, and no message.
  const message = error?.message || code;
  const reason = explain(code, message) ?? message;
  return { kind: 'failed', reason, code, isAnswered: false, retryAfterMillis: 0 };
}

/** Source: OTLP specification, "Partial Success". 64-bit integers are strings in its JSON. */
function readPartialSuccess(
  body: Buffer,
  contentType: string | undefined,
): { readonly rejected: number; readonly message: string } {
  const serializer = isJson(body, contentType) ? JsonTraceSerializer : ProtobufTraceSerializer;
  try {
    const { rejectedSpans, errorMessage } = serializer.deserializeResponse(body)?.partialSuccess ?? {};
    const rejected = Math.floor(Number(rejectedSpans ?? 0));
    return { rejected: rejected > 0 ? rejected : 0, message: String(errorMessage ?? '') };
  } catch {
    return { rejected: 0, message: '' };
  }
}

/** The content type of the answer decides, because proxies answer in their own encoding. It may be missing or unknown. */
function isJson(body: Buffer, contentType = ''): boolean {
  const [mediaType = ''] = contentType.split(';');
  switch (mediaType.trim().toLowerCase()) {
    case 'application/json':
      return true;
    case 'application/x-protobuf':
      return false;
    default:
      // A protobuf answer never begins with this character.
      return body.toString('latin1', 0, 1) === '{';
  }
}

/** Source: RFC 9110, section 10.2.3: seconds or a date. */
function readRetryAfter(value = ''): number {
  const millis = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return millis > 0 ? Math.min(millis, maxRetryAfterMillis) : 0;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
