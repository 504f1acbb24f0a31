import { keyOf } from '../graph/trace-graph.ts';
import type { WireContext, WireRecord } from '../headers/evidence.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readWireContext } from '../headers/read-wire-context.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import { startsDuring } from '../pairing/pair.ts';
import { thresholds } from '../rules/thresholds.ts';
import type { Span } from '../span/span.ts';

/** Sides of broken calls that ids prove to be broken for good, so that no later span can be the other side. */
export interface ProvenSides {
  readonly clients: ReadonlySet<Span>;
  readonly servers: ReadonlySet<Span>;
}

/**
 * Finds the two sides of broken calls that name each other: the answer named the SERVER span, or the request that the SERVER span
 * records named the CLIENT span. That they have their time, method and path in common proves nothing: somebody else may have called.
 * A tap that took the header of a CLIENT span away proves that side alone.
 * @param clients That nobody continued.
 * @param servers Without a parent in the data.
 */
export function findProvenSides(
  clients: readonly Span[],
  servers: readonly Span[],
  wire: readonly WireRecord[],
): ProvenSides {
  const proven = { clients: new Set<Span>(), servers: new Set<Span>() };
  const serverOf = new Map(servers.map((span) => [keyOf(span), span]));
  const clientOf = new Map(clients.map((span) => [keyOf(span), span]));
  const add = (client: Span, server: Span | undefined): void => {
    // An answer out of a cache names the span of an earlier request.
    if (server === undefined || !startsDuring(server, client, thresholds)) return;
    proven.clients.add(client);
    proven.servers.add(server);
  };
  for (const client of clients) {
    const { span } = readAnsweredContext(readRecordedHeaders(client, 'response').fields);
    if (span !== null) add(client, serverOf.get(toKey(span)));
  }
  for (const server of servers) {
    const received = readWireContext(readRecordedHeaders(server, 'request').fields);
    for (const client of selectNamed(received, clientOf)) add(client, server);
  }
  for (const { sent, received, answered } of wire) {
    const passedOn = new Set(received === null ? [] : selectNamed(received, clientOf));
    for (const client of selectNamed(sent, clientOf)) {
      if (answered?.span) add(client, serverOf.get(toKey(answered.span)));
      if (received !== null && !passedOn.has(client)) proven.clients.add(client);
    }
  }
  return proven;
}

function selectNamed({ contexts }: WireContext, spans: ReadonlyMap<string, Span>): readonly Span[] {
  return contexts.flatMap((reading) => (reading.state === 'valid' ? (spans.get(toKey(reading)) ?? []) : []));
}

function toKey({
  traceId,
  spanId,
}: {
  readonly traceId: string | null;
  readonly spanId: string | null;
}): string {
  return `${traceId}:${spanId}`;
}
