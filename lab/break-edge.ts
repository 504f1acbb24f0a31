import type { Span } from 'propagation-check';

/** One call of a healthy capture: a span, and a span of another service that has the first as its parent. */
export interface HealthyCall {
  readonly client: Span;
  readonly server: Span;
}

/** The calls from one service to another. */
export interface HealthyEdge {
  readonly client: string;
  readonly server: string;
  readonly calls: readonly HealthyCall[];
}

/** The ways to break a call: remove its header, or do not export one of its two spans. */
export const losses = ['header', 'CLIENT span', 'SERVER span'] as const;
export type Loss = (typeof losses)[number];

/** The edges between services with names, in the order of their first spans. */
export function listEdges(spans: readonly Span[]): readonly HealthyEdge[] {
  const byId = new Map(spans.map((span) => [idOf(span), span]));
  const edges = new Map<string, HealthyEdge & { readonly calls: HealthyCall[] }>();
  for (const server of spans) {
    const client = parentOf(server, byId);
    if (client === undefined || client.serviceName === null || server.serviceName === null) continue;
    if (client.serviceName === server.serviceName) continue;
    const key = JSON.stringify([client.serviceName, server.serviceName]);
    const edge = edges.get(key) ?? { client: client.serviceName, server: server.serviceName, calls: [] };
    edges.set(key, edge);
    edge.calls.push({ client, server });
  }
  return [...edges.values()];
}

/** The spans of the capture if these calls had been broken. Times and all other calls stay unchanged. */
export function breakCalls(
  spans: readonly Span[],
  calls: readonly HealthyCall[],
  loss: Loss,
): readonly Span[] {
  if (loss === 'header') return splitTraces(spans, calls);
  const lost = new Set(calls.map(({ client, server }) => (loss === 'CLIENT span' ? client : server)));
  return spans.filter((span) => !lost.has(span));
}

function splitTraces(spans: readonly Span[], calls: readonly HealthyCall[]): readonly Span[] {
  const byId = new Map(spans.map((span) => [idOf(span), span]));
  const traceOf = new Map<Span, string>();
  for (const [at, { server }] of calls.entries())
    traceOf.set(server, (at + 1).toString(16).padStart(32, 'f'));
  const findTrace = (span: Span): string => {
    for (let at: Span | undefined = span; at !== undefined; at = parentOf(at, byId)) {
      const begun = traceOf.get(at);
      if (begun !== undefined) return begun;
    }
    return span.traceId;
  };
  const moved = new Map(spans.map((span) => [idOf(span), findTrace(span)]));
  const called = new Set(calls.map(({ client }) => client));
  return spans.map((span) => ({
    ...span,
    traceId: findTrace(span),
    links: span.links.map((link) => ({ ...link, traceId: moved.get(idOf(link)) ?? link.traceId })),
    ...(traceOf.has(span) ? { ...asRoot(span), attributes: withoutHeaders(span, 'request') } : {}),
    ...(called.has(span) ? { attributes: withoutHeaders(span, 'response') } : {}),
  }));
}

/** OTLP `flags` of a root: `has_is_remote` is set and `is_remote` is not. */
const hasIsRemote = 0x100;
const traceFlags = 0xff;

function asRoot({ flags }: Span): Pick<Span, 'parentSpanId' | 'flags'> {
  return { parentSpanId: null, flags: flags === null ? null : (flags & traceFlags) | hasIsRemote };
}

/** Removes the recorded headers of one direction. Response headers may name the SERVER span. */
function withoutHeaders({ attributes }: Span, direction: 'request' | 'response'): Span['attributes'] {
  const isHeader = (name: string): boolean =>
    name.includes(`.${direction}.header.`) || name.includes(`.${direction}.metadata.`);
  return new Map([...attributes].filter(([name]) => !isHeader(name)));
}

function parentOf({ traceId, parentSpanId }: Span, byId: ReadonlyMap<string, Span>): Span | undefined {
  return parentSpanId === null ? undefined : byId.get(idOf({ traceId, spanId: parentSpanId }));
}

function idOf({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>): string {
  return `${traceId}/${spanId}`;
}
