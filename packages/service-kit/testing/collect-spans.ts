import { json } from 'node:stream/consumers';
import { listen } from './listen.ts';

/** The parts of an OTLP/JSON span that the tests look at. */
export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly events: readonly { readonly name: string }[];
  readonly attributes: readonly Attribute[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly traceState?: string;
  }[];
  readonly traceState?: string;
  readonly service: string;
}

interface Attribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: number;
    readonly arrayValue?: { readonly values: readonly { readonly stringValue?: string }[] };
  };
}

export const SERVER = 2;
export const CLIENT = 3;
export const ERROR = 2;

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly {
        readonly key: string;
        readonly value: { readonly stringValue: string };
      }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<ExportedSpan, 'service'>[] }[];
  }[];
}

/** Undefined where the span does not have it. */
export function readAttribute(
  { attributes }: ExportedSpan,
  name: string,
): string | number | string[] | undefined {
  const value = attributes.find(({ key }) => key === name)?.value;
  return (
    value?.stringValue ??
    value?.intValue ??
    value?.arrayValue?.values.map(({ stringValue }) => String(stringValue))
  );
}

/** An OTLP/HTTP receiver that takes JSON and keeps the spans. */
export async function collectSpans(): Promise<
  Disposable & { readonly endpoint: string; readonly spans: readonly ExportedSpan[] }
> {
  const spans: ExportedSpan[] = [];
  const { url, ...server } = await listen(async (request, response) => {
    const body = await json(request);
    if (!isExportRequest(body)) throw new Error(`not an OTLP export request: ${JSON.stringify(body)}`);
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service }))));
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  return { ...server, endpoint: url, spans };
}

function isExportRequest(body: unknown): body is ExportRequest {
  return (
    typeof body === 'object' && body !== null && 'resourceSpans' in body && Array.isArray(body.resourceSpans)
  );
}
