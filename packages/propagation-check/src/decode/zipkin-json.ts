import * as z from 'zod';
import type { MaybeShared } from '../span/shared-span-ids.ts';
import type { Attributes, AttributeValue, Span, SpanKind, SpanStatus } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';
import { quoteValue } from './quote-value.ts';
import { readMicroseconds } from './read-microseconds.ts';
import { readShape } from './read-shape.ts';
import { readParentSpanId, readSpanId, readTraceId } from './span-id.ts';
import { textTag } from './text-tag.ts';
import { refuseZipkinV1 } from './zipkin-v1.ts';

const time = z.union([z.number(), z.string()]).nullish();
const text = z.string().nullish();

const endpoint = z
  .object({ serviceName: text, ipv4: text, ipv6: text, port: z.number().nullish() })
  .nullish();

const spanShape = z.object({
  traceId: z.string(),
  id: z.string(),
  parentId: text,
  name: text,
  kind: text,
  timestamp: time,
  duration: time,
  localEndpoint: endpoint,
  remoteEndpoint: endpoint,
  tags: z.unknown().optional(),
  shared: z.boolean().nullish(),
});

/**
 * Decodes one span of Zipkin v2. The two sides of a call may share one span id: `separateSharedSpans` makes them parent and child, once
 * all spans are read. A span without a kind is INTERNAL. `flags` are null.
 *
 * Source: Zipkin API, `zipkin2-api.yaml`.
 * @throws {DecodeError} with the path of the wrong value; also for Zipkin v1.
 */
export function decodeZipkinSpan(value: unknown): MaybeShared {
  refuseZipkinV1(value);
  const shape = readShape(spanShape, value);
  const tags = readTags(shape.tags);
  const serviceName = shape.localEndpoint?.serviceName || null;
  // Zipkin allows incomplete spans, without times.
  const start = readMicroseconds(shape.timestamp ?? 0, 'timestamp');
  const span: Span = {
    traceId: readTraceId(shape.traceId, 'traceId', 'short-hex'),
    spanId: readSpanId(shape.id, 'id', 'short-hex'),
    parentSpanId: readParentSpanId(shape.parentId, 'parentId', 'short-hex'),
    traceState: '',
    flags: null,
    name: shape.name ?? '',
    kind: readKind(shape.kind),
    startTimeUnixNano: start,
    endTimeUnixNano: start + readMicroseconds(shape.duration ?? 0, 'duration'),
    attributes: new Map([...peerAttributes(shape.remoteEndpoint), ...tags]),
    links: [],
    status: readStatus(tags),
    serviceName,
    resource: new Map(serviceName === null ? [] : [['service.name', serviceName]]),
    scopeName: textTag(tags, 'otel.scope.name') || textTag(tags, 'otel.library.name'),
  };
  return { span, isShared: shape.shared === true };
}

const kinds: ReadonlyMap<string, SpanKind> = new Map([
  ['CLIENT', 'CLIENT'],
  ['SERVER', 'SERVER'],
  ['PRODUCER', 'PRODUCER'],
  ['CONSUMER', 'CONSUMER'],
]);

function readKind(kind: string | null | undefined): SpanKind {
  if (!kind) return 'INTERNAL';
  const known = kinds.get(kind.toUpperCase());
  if (known === undefined) throw new DecodeError(`kind: ${quoteValue(kind)} is not a kind of Zipkin v2`);
  return known;
}

function readTags(value: unknown): Attributes {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value)) throw new DecodeError(`tags: expected an object, received ${quoteValue(value)}`);
  return new Map(
    Object.entries(value).map(([key, tag]): [string, AttributeValue] => {
      if (typeof tag === 'string' || typeof tag === 'number' || typeof tag === 'boolean') return [key, tag];
      throw new DecodeError(`tags[${quoteValue(key)}]: expected string, received ${quoteValue(tag)}`);
    }),
  );
}

/** The remote endpoint as OpenTelemetry attributes. */
function peerAttributes(remote: z.infer<typeof endpoint>): readonly (readonly [string, AttributeValue])[] {
  const address = remote?.ipv4 || remote?.ipv6;
  return [
    ...(remote?.serviceName ? [['peer.service', remote.serviceName] as const] : []),
    ...(address ? [['network.peer.address', address] as const] : []),
    ...(remote?.port ? [['network.peer.port', remote.port] as const] : []),
  ];
}

function readStatus(tags: Attributes): SpanStatus {
  const code = textTag(tags, 'otel.status_code');
  const error = tags.get('error');
  if (code === 'ERROR' || (error !== undefined && error !== 'false' && error !== false)) {
    return { code: 'ERROR', message: textTag(tags, 'otel.status_description') || textTag(tags, 'error') };
  }
  return { code: code === 'OK' ? 'OK' : 'UNSET', message: '' };
}
