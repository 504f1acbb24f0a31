import {
  type Attributes,
  type AttributeValue,
  createTraceState,
  type HrTime,
  type Link,
  type SpanContext,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/**
 * Reads the spans of an export request that `JsonTraceSerializer` wrote. Serialising them again gives the same text.
 * It checks nothing, because it reads only what this package has written.
 * Source: opentelemetry-proto, `ExportTraceServiceRequest`, in its JSON mapping.
 */
export function decodeSpans(json: string): ReadableSpan[] {
  const { resourceSpans }: Request = JSON.parse(json);
  return resourceSpans.flatMap((ofResource) => {
    const resource = decodeResource(ofResource);
    return ofResource.scopeSpans.flatMap(({ scope, schemaUrl, spans }) => {
      const { attributes, ...named } = scope;
      const instrumentationScope = {
        ...named,
        ...(schemaUrl === undefined ? {} : { schemaUrl }),
        ...(attributes === undefined ? {} : { attributes: decodeAttributes(attributes) }),
      };
      return spans.map((span) => decodeSpan(span, resource, instrumentationScope));
    });
  });
}

function decodeSpan(
  span: JsonSpan,
  resource: Resource,
  instrumentationScope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
  const spanContext = decodeContext(span, false);
  return {
    name: span.name,
    kind: span.kind - 1,
    spanContext: () => spanContext,
    ...(span.parentSpanId === undefined
      ? {}
      : {
          parentSpanContext: {
            traceId: span.traceId,
            spanId: span.parentSpanId,
            traceFlags: spanContext.traceFlags,
            isRemote: isRemote(span.flags),
          },
        }),
    startTime: decodeTime(span.startTimeUnixNano),
    endTime: decodeTime(span.endTimeUnixNano),
    duration: decodeTime(`${BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)}`),
    status: span.status,
    attributes: decodeAttributes(span.attributes),
    links: span.links.map(decodeLink),
    events: span.events.map(({ name, timeUnixNano, attributes, droppedAttributesCount }) => ({
      name,
      time: decodeTime(timeUnixNano),
      attributes: decodeAttributes(attributes),
      droppedAttributesCount,
    })),
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

function decodeLink(link: JsonLink): Link {
  return {
    context: decodeContext(link, isRemote(link.flags)),
    attributes: decodeAttributes(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount,
  };
}

function decodeContext(ids: JsonIds, isRemote: boolean): SpanContext {
  return {
    traceId: ids.traceId,
    spanId: ids.spanId,
    traceFlags: ids.flags & 0xff,
    isRemote,
    // Kept as text, because a parser could drop members.
    ...(ids.traceState === undefined
      ? {}
      : { traceState: Object.assign(createTraceState(), { serialize: () => ids.traceState ?? '' }) }),
  };
}

/** OTLP's `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`. */
function isRemote(flags: number): boolean {
  return (flags & 0x200) !== 0;
}

function decodeResource({ resource, schemaUrl }: Request['resourceSpans'][number]): Resource {
  const attributes = decodeAttributes(resource.attributes);
  const decoded: Resource = {
    attributes,
    ...(schemaUrl === undefined ? {} : { schemaUrl }),
    merge: () => decoded,
    getRawAttributes: () => Object.entries(attributes),
  };
  return decoded;
}

function decodeTime(nanoseconds: string): HrTime {
  const total = BigInt(nanoseconds);
  return [Number(total / 1_000_000_000n), Number(total % 1_000_000_000n)];
}

function decodeAttributes(entries: readonly JsonEntry[]): Attributes {
  // `Object.fromEntries` defines own properties, even for the key `__proto__`.
  return Object.fromEntries(entries.map(({ key, value }) => [key, decodeValue(value)]));
}

function decodeValue(value: JsonValue): AttributeValue | undefined {
  if ('stringValue' in value) return value.stringValue;
  if ('boolValue' in value) return value.boolValue;
  if ('intValue' in value) return value.intValue;
  // JSON has neither infinities nor NaN.
  if ('doubleValue' in value) return value.doubleValue ?? Number.NaN;
  if ('bytesValue' in value) return Buffer.from(value.bytesValue, 'base64');
  if ('arrayValue' in value) return value.arrayValue.values.map(decodeValue);
  if ('kvlistValue' in value) return decodeAttributes(value.kvlistValue.values);
  return undefined;
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly JsonEntry[] };
    readonly schemaUrl?: string;
    readonly scopeSpans: readonly {
      readonly scope: {
        readonly name: string;
        readonly version?: string;
        readonly attributes?: readonly JsonEntry[];
        readonly droppedAttributesCount?: number;
      };
      readonly schemaUrl?: string;
      readonly spans: readonly JsonSpan[];
    }[];
  }[];
}

interface JsonIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly flags: number;
}

interface JsonLink extends JsonIds {
  readonly attributes: readonly JsonEntry[];
  readonly droppedAttributesCount: number;
}

interface JsonSpan extends JsonIds {
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly JsonEntry[];
  readonly droppedAttributesCount: number;
  readonly events: readonly {
    readonly name: string;
    readonly timeUnixNano: string;
    readonly attributes: readonly JsonEntry[];
    readonly droppedAttributesCount: number;
  }[];
  readonly droppedEventsCount: number;
  readonly status: ReadableSpan['status'];
  readonly links: readonly JsonLink[];
  readonly droppedLinksCount: number;
}

interface JsonEntry {
  readonly key: string;
  readonly value: JsonValue;
}

type JsonValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: number }
  | { readonly doubleValue: number | null }
  | { readonly bytesValue: string }
  | { readonly arrayValue: { readonly values: readonly JsonValue[] } }
  | { readonly kvlistValue: { readonly values: readonly JsonEntry[] } }
  | Readonly<Record<never, never>>;
