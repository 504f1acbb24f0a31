import type { Span } from './span.ts';

export interface MaybeShared {
  readonly span: Span;
  /** Zipkin's `shared`: the server recorded its side under the span id that it received. */
  readonly isShared: boolean;
}

/**
 * Gives the SERVER side of a call an id of its own where Zipkin's B3 instrumentation used one id for both sides. The CLIENT span becomes
 * the parent of the SERVER span.
 *
 * A SERVER span shares its id if it says so, or if a CLIENT span of the trace has the same id (old instrumentations do not say it). The new
 * id is derived from trace, id, service and start, so that decoding the span again gives the same id. The parent becomes the shared id even
 * if the CLIENT span is missing, because the server received that id. Children of the shared id move to the SERVER span, except those that
 * only the client's service can have recorded. A child belongs to the server if both sides are one service, if the child's service is
 * neither side's, or if the CLIENT span is missing.
 */
export function separateSharedSpans(spans: readonly MaybeShared[]): readonly Span[] {
  const clients = new Map(
    spans.filter(({ span }) => span.kind === 'CLIENT').map(({ span }) => [keyOf(span, span.spanId), span]),
  );
  const isShared = ({ span, isShared }: MaybeShared) =>
    span.kind === 'SERVER' && (isShared || clients.has(keyOf(span, span.spanId)));
  const servers = groupBySharedId(spans.filter(isShared).map(({ span }) => span));
  return spans.map((candidate) => {
    const { span } = candidate;
    if (isShared(candidate)) return { ...span, spanId: deriveSpanId(span), parentSpanId: span.spanId };
    if (span.parentSpanId === null) return span;
    const key = keyOf(span, span.parentSpanId);
    const server = findServer(servers.get(key) ?? [], span, clients.get(key));
    return server === undefined ? span : { ...span, parentSpanId: deriveSpanId(server) };
  });
}

function keyOf(span: Span, spanId: string): string {
  return `${span.traceId}:${spanId}`;
}

/** By start, so that the order of the spans does not affect which server is chosen. */
function groupBySharedId(servers: readonly Span[]): ReadonlyMap<string, readonly Span[]> {
  const groups = new Map<string, Span[]>();
  for (const server of [...servers].sort(byStart)) {
    const key = keyOf(server, server.spanId);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [server]);
    else group.push(server);
  }
  return groups;
}

/** If several servers share the id, as after a retry, the server during which the child started. */
function findServer(servers: readonly Span[], child: Span, client: Span | undefined): Span | undefined {
  const own = servers.filter(({ serviceName }) => serviceName === child.serviceName);
  const candidates = own.length > 0 || client?.serviceName === child.serviceName ? own : servers;
  return (
    candidates.find(
      ({ startTimeUnixNano: start, endTimeUnixNano: end }) =>
        child.startTimeUnixNano >= start && child.startTimeUnixNano <= end,
    ) ?? candidates[0]
  );
}

function deriveSpanId({ traceId, spanId, serviceName, startTimeUnixNano }: Span): string {
  const text = JSON.stringify([traceId, spanId, serviceName, String(startTimeUnixNano)]);
  const id = hash32(text, 0x811c9dc5) + hash32(text, 0x01234567);
  return /^0+$/.test(id) ? '0000000000000001' : id;
}

/** FNV-1a. The ids only need to differ. */
function hash32(text: string, basis: number): string {
  let hash = basis;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function byStart(left: Span, right: Span): number {
  if (left.startTimeUnixNano === right.startTimeUnixNano)
    return deriveSpanId(left) < deriveSpanId(right) ? -1 : 1;
  return left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1;
}
