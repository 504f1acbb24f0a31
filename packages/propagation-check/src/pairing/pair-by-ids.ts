import { keyOf, type TraceGraph } from '../graph/trace-graph.ts';
import type { WireContext } from '../headers/evidence.ts';
import { readWireContext } from '../headers/read-wire-context.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import { recordsHeaders } from '../headers/recording.ts';
import type { Span } from '../span/span.ts';
import type { AnswerLookup } from './answers.ts';
import type { Pair } from './pair-spans.ts';
import { startsDuring, type Tolerances } from './times.ts';

/**
 * Pairs the two sides of a call by ids: the answer names the SERVER span, or the request headers recorded on the SERVER span name the
 * CLIENT span. Equal time, method and path alone would prove nothing: somebody else may have made the call.
 * @param clients Calls that nobody continued.
 * @param servers SERVER spans without a parent in the capture.
 */
export function pairByIds(
  graph: TraceGraph,
  clients: readonly Span[],
  servers: readonly Span[],
  answersOf: AnswerLookup,
  tolerances: Tolerances,
): readonly Pair[] {
  const serverOf = new Map(servers.map((span) => [graph.rowOf(span), span]));
  const answers = clients.flatMap((client) => answersOf(client).map((answer) => ({ client, ...answer })));
  /** Services some of whose calls a cache answered: the ids in their answers prove nothing. */
  const cached = new Set(answers.flatMap((one) => (one.isOfAnother ? one.client.serviceName : [])));
  const answered = answers.flatMap(({ client, row, isInTime }) => {
    const server = serverOf.get(row);
    return server !== undefined && isInTime && !cached.has(client.serviceName)
      ? [[client, server] as const]
      : [];
  });
  const received = recordsHeaders(graph.store) ? listReceived(clients, servers, tolerances) : [];
  return listUnambiguous([...answered, ...received]);
}

/** Pairs servers with the client that their recorded header names, if the client was open when they began. */
function listReceived(
  clients: readonly Span[],
  servers: readonly Span[],
  tolerances: Tolerances,
): readonly Sides[] {
  const clientOf = new Map(clients.map((span) => [keyOf(span), span]));
  return servers.flatMap((server) => {
    const context = readWireContext(readRecordedHeaders(server, 'request').fields);
    return selectNamed(context, clientOf)
      .filter((client) => startsDuring(server, client, tolerances))
      .map((client): Sides => [client, server]);
  });
}

type Sides = readonly [client: Span, server: Span];

/**
 * Keeps the pairs in which each side has one partner: one answer may have gone to several callers, and several requests may have led to one
 * answer.
 */
function listUnambiguous(named: readonly Sides[]): readonly Pair[] {
  const partners = new Map<Span, Set<Span>>();
  for (const [client, server] of named) {
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      partners.set(one, (partners.get(one) ?? new Set()).add(other));
  }
  return [...new Map(named)].flatMap(([client, server]) =>
    partners.get(client)?.size === 1 && partners.get(server)?.size === 1
      ? [{ client, server, unique: true }]
      : [],
  );
}

/** The spans that valid contexts name. */
export function selectNamed({ contexts }: WireContext, spans: ReadonlyMap<string, Span>): readonly Span[] {
  return contexts.flatMap((reading) => (reading.state === 'valid' ? (spans.get(keyOf(reading)) ?? []) : []));
}
