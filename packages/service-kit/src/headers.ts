import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { redactHeader } from './redact.ts';

/** The propagation headers that both services record in their spans: what was sent, and what arrived. */
export const recordedHeaders = {
  requestHeaders: [
    'traceparent',
    'tracestate',
    'baggage',
    'b3',
    'x-b3-traceid',
    'x-b3-spanid',
    'x-b3-sampled',
  ],
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

const secretHeaders = ['baggage', 'tracestate'].map((name) => ({ name, key: `http.request.header.${name}` }));

/** Takes the values out of recorded `baggage` and `tracestate` headers. Place it before processors that export. */
export class HeaderRedactor implements SpanProcessor {
  onStart(): void {}

  onEnding(span: Span): void {
    for (const { name, key } of secretHeaders) {
      const values: AttributeValue | undefined = span.attributes[key];
      if (Array.isArray(values)) {
        span.setAttribute(
          key,
          values.map((value) => redactHeader(name, String(value))),
        );
      }
    }
  }

  onEnd(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
