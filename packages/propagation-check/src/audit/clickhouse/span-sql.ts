import { families, family } from '../../calls/protocol.ts';
import { keptAttributes, keptFamilies, presenceOnly } from '../../span/kept-attributes.ts';
import { kindNumber, spanKinds } from '../../span/span.ts';

/** Protocols in SQL; those of `outgoing` are the ones of which a CLIENT span has another side. */
const protocol = { unknown: 0, http: 1, rpc: 2, mcp: 3, messaging: 4, database: 5 } as const;
export const lastOutgoing = protocol.mcp;

/** Details of an endpoint that tell its calls apart are hashed to so many buckets, so that paths with ids make no endless list. */
export const detailBuckets = 256;

/** A text as ClickHouse reads it. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The name of a table or a database as ClickHouse reads it. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

function listOf(texts: Iterable<string>): string {
  return `[${Array.from(texts, quote).join(', ')}]`;
}

function keysOfFamily(bit: number): string {
  return listOf([...families].flatMap(([key, of]) => (of === bit ? [key] : [])));
}

function hasAnyOf(bit: number): string {
  return `hasAny(mapKeys(SpanAttributes), ${keysOfFamily(bit)})`;
}

/** As `readProtocol` of `calls/call-facts.ts`. */
const protocolSql = `multiIf(
    ${hasAnyOf(family.database)}, ${protocol.database},
    kind IN (${kindNumber.producer}, ${kindNumber.consumer}) OR ${hasAnyOf(family.messaging)}, ${protocol.messaging},
    ${hasAnyOf(family.mcp)}, ${protocol.mcp},
    ${hasAnyOf(family.rpc)}, ${protocol.rpc},
    match(SpanAttributes['component'], '(?i)grpc') AND match(SpanName, '^/?[\\\\w.]+/\\\\w+$'), ${protocol.rpc},
    ${hasAnyOf(family.http)}, ${protocol.http},
    SpanAttributes['faas.trigger'] = 'http', ${protocol.http},
    SpanAttributes['faas.trigger'] = 'pubsub', ${protocol.messaging},
    ${protocol.unknown})`;

/** Attributes by which rules tell the calls of an edge apart: the address, the queue, the route, the answer, the program. */
const telling = [
  ...['server.address', 'server.port', 'net.peer.name', 'net.peer.port', 'messaging.destination.name'],
  ...[
    'messaging.destination',
    'http.request.method',
    'http.method',
    'http.route',
    'rpc.service',
    'rpc.method',
  ],
  ...['http.response.status_code', 'http.status_code', 'user_agent.original', 'http.user_agent'],
] as const;

/**
 * The columns of a span by which a trace is analysed. They are collected into an array each, so there are few, and of numbers:
 * a `side` is a hash of the service (48 bits), the bucket of details (8), the protocol (5) and the kind (3).
 */
export const analysedColumns = `
    TraceId,
    if(length(SpanId) = 16, reinterpretAsUInt64(unhex(SpanId)), 0) AS id,
    reinterpretAsUInt64(unhex(ParentSpanId)) AS parent,
    indexOf(${listOf(spanKinds)}, upper(replaceOne(SpanKind, 'SPAN_KIND_', ''))) - 1 AS kind,
    cityHash64(SpanName, ScopeName, StatusCode, mapKeys(SpanAttributes), ${telling
      .map((key) => `SpanAttributes[${quote(key)}]`)
      .join(', ')}, domain(SpanAttributes['url.full'])) AS detail,
    bitOr(bitShiftLeft(cityHash64(ServiceName), 16),
      bitOr(bitShiftLeft(bitAnd(detail, ${detailBuckets - 1}), 8), toUInt64(greatest(kind, 0) + 8 * ${protocolSql}))) AS side,
    toUnixTimestamp64Nano(Timestamp) AS start,
    start + toInt64(Duration) AS end,
    notEmpty(\`Links.TraceId\`) OR id = 0 OR length(TraceId) != 32 OR startsWith(TraceId, '0000000000000000') AS unusual`;

/** Parts of `side`. */
export const serviceOf = (side: string): string => `bitShiftRight(${side}, 16)`;
export const kindOf = (side: string): string => `bitAnd(${side}, 7)`;
export const protocolOf = (side: string): string => `bitAnd(bitShiftRight(${side}, 3), 31)`;
export const detailOf = (side: string): string => `bitAnd(bitShiftRight(${side}, 8), ${detailBuckets - 1})`;
export const withoutDetail = (side: string): string =>
  `bitAnd(${side}, bitNot(toUInt64(${(detailBuckets - 1) * 256})))`;

const isKeptSql = [
  `k IN (${keptAttributes.map(quote).join(', ')})`,
  ...keptFamilies.map((start) => `startsWith(k, ${quote(start)})`),
].join(' OR ');

/** The columns that the decoder reads, with the attributes alone that rules read: no others leave the cluster. */
export const sentColumns = `
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    mapApply((k, v) -> (k, if(k IN (${[...presenceOnly].map(quote).join(', ')}), '', v)),
      mapFilter((k, v) -> ${isKeptSql}, SpanAttributes)) AS SpanAttributes,
    Duration, StatusCode, StatusMessage, \`Links.TraceId\`, \`Links.SpanId\``;
