import { type Attributes, type AttributeValue, SpanKind } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { formats, idHeaders as idHeaderOf } from 'propagation-check/headers';
import { isSecret, redactHeader } from './redact.ts';

/** The header that carries the trace id, in every format that the checker knows. */
const idHeaders = formats.map((format) => idHeaderOf[format]);

/** The propagation headers that both services record in their spans, as sent and as received. */
export const recordedHeaders = {
  requestHeaders: [...idHeaders, 'tracestate', 'baggage', 'x-b3-spanid', 'x-b3-sampled'],
  responseHeaders: ['server-timing', 'traceresponse'],
};

/** Headers of a hand-made span, as the instrumentations record them. Source: semantic conventions, `http.request.header.<key>`. */
export function describeHeaders(
  kind: 'request' | 'response',
  read: (name: string) => number | string | readonly string[] | null | undefined,
): Attributes {
  const attributes: Attributes = {};
  for (const name of recordedHeaders[`${kind}Headers`]) {
    const value = read(name) ?? undefined;
    if (value !== undefined) attributes[`http.${kind}.header.${name}`] = [value].flat().map(String);
  }
  return attributes;
}

const keyOf = (name: string): string => `http.request.header.${name}`;
const traceparentKey = keyOf('traceparent');
const idKeys = idHeaders.map(keyOf);
const answerKeys = recordedHeaders.responseHeaders.map((name) => `http.response.header.${name}`);
const secretHeaders = recordedHeaders.requestHeaders
  .filter(isSecret)
  .map((name) => ({ name, key: keyOf(name) }));

/** Instrumentations that the services tell to record headers. */
const recordingScopes = ['@opentelemetry/instrumentation-http', '@opentelemetry/instrumentation-undici'];

/**
 * Completes what was recorded of headers. Takes the values out of those that may hold secrets, and writes a list without a value for those that
 * did not come, which instrumentations leave out. Place it before processors that export.
 */
export class HeaderProcessor implements SpanProcessor {
  readonly #scopes: readonly string[];

  /** @param tracer Name of the tracer with which the service makes spans by hand. */
  constructor(tracer: string) {
    this.#scopes = [...recordingScopes, tracer];
  }

  onStart(): void {}

  onEnding(span: Span): void {
    // Of a request that another instrumentation records nobody knows which headers it looked at.
    if (!this.#scopes.includes(span.instrumentationScope.name)) return;
    for (const { name, key } of secretHeaders) {
      const values: AttributeValue | undefined = span.attributes[key];
      if (Array.isArray(values)) {
        span.setAttribute(
          key,
          values.map((value) => redactHeader(name, String(value))),
        );
      }
    }
    for (const key of listAbsent(span)) span.setAttribute(key, []);
  }

  onEnd(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** In a healthy call of a traced caller nothing is absent. The headers of a call that got no answer may never have been written. */
function listAbsent({ kind, attributes }: Span): readonly string[] {
  const isAbsent = (key: string): boolean => attributes[key] === undefined;
  if (kind === SpanKind.SERVER) return [traceparentKey].filter(isAbsent);
  if (kind !== SpanKind.CLIENT || isAbsent('http.response.status_code')) return [];
  return [
    ...(!isAbsent(traceparentKey) ? [] : idKeys.every(isAbsent) ? idKeys : [traceparentKey]),
    ...(answerKeys.every(isAbsent) ? answerKeys : []),
  ];
}
