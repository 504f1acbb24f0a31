import { families, family } from '../../calls/protocol.ts';
import { keptAttributes, keptFamilies, presenceOnly } from '../../span/kept-attributes.ts';
import { kindNumber, spanKinds } from '../../span/span.ts';

/** Protocols as numbers in SQL. From `http` to `mcp` the CLIENT span of a call has another side. */
const protocol = { unknown: 0, http: 1, rpc: 2, mcp: 3, messaging: 4, database: 5 } as const;
export const lastOutgoing = protocol.mcp;

/** The details of an endpoint that distinguish its calls are hashed into this many buckets: paths that contain ids would give endless kinds. */
export const detailBuckets = 256;

/** A text as an SQL literal of ClickHouse. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The name of a table or a database as an SQL identifier of ClickHouse. */
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

/** The same as `readProtocol` of `calls/call-facts.ts`. */
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

/** Attributes by which rules distinguish the calls of an edge: address, queue, route, answer, user agent. */
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
 * The columns of a span from which its trace is analysed. Each is collected into an array, so they are few, and numbers: a `side` combines
 * a hash of the service (48 bits), the bucket of details (8), the protocol (5) and the kind (3).
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

/** The parts of a `side`. */
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

/** The columns that the decoder reads. Of attributes only those that rules read leave the cluster. */
export const sentColumns = `
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    mapApply((k, v) -> (k, if(k IN (${[...presenceOnly].map(quote).join(', ')}), '', v)),
      mapFilter((k, v) -> ${isKeptSql}, SpanAttributes)) AS SpanAttributes,
    Duration, StatusCode, StatusMessage, \`Links.TraceId\`, \`Links.SpanId\``;
