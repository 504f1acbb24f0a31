import { isHealthProbe } from './call-facts.ts';
import type { Call, Edges } from './edge.ts';
import type { Expectation } from './expectation.ts';
import { groupBy, keyFor } from './group-by.ts';
import { compareRequests } from './pair.ts';
import type { Span } from './span.ts';

/** By how much the clock of each service is ahead, in nanoseconds; services that are not named agree. */
export type ClockOffsets = ReadonlyMap<string | null, bigint>;

/** Fewer loose ends than these make no pattern. */
const fewestLoose = 3;

/**
 * Estimates how far the clocks of services are apart. Checks argue from time, so a clock that is seconds ahead would
 * hide which spans belong together.
 *
 * Whole calls tell it: a SERVER span cannot start before or after its CLIENT span was open. Where an expected edge
 * has none, loose ends do: as many of both for the same request, all apart by the same time.
 */
export function estimateOffsets(
  spans: readonly Span[],
  edges: Edges,
  expectation: Expectation,
): ClockOffsets {
  const offsets = new Map<string | null, bigint>();
  const neighbours = [...measureWholeEdges(edges), ...measureLooseEdges(edges, expectation)].flatMap(
    (edge) => [edge, { client: edge.server, server: edge.client, ahead: -edge.ahead }],
  );
  // The service with the most spans gives the time to those that it is connected with: a browser follows its backend.
  for (const service of listByWeight(spans)) {
    if (offsets.has(service)) continue;
    offsets.set(service, 0n);
    const queue = [service];
    for (const at of queue) {
      for (const { client, server, ahead } of neighbours) {
        if (client !== at || offsets.has(server)) continue;
        offsets.set(server, (offsets.get(at) ?? 0n) + ahead);
        queue.push(server);
      }
    }
  }
  return new Map([...offsets].filter(([, ahead]) => ahead !== 0n));
}

interface MeasuredEdge {
  readonly client: string | null;
  readonly server: string | null;
  /** Of the server's clock, in nanoseconds. */
  readonly ahead: bigint;
}

function measureWholeEdges(edges: Edges): readonly MeasuredEdge[] {
  const groups = groupBy(edges.calls.filter(isSynchronous), ({ client, server }) =>
    keyFor(client.serviceName, server.serviceName),
  );
  return groups.flatMap((calls) => {
    const first = calls[0];
    if (first === undefined || first.client.serviceName === first.server.serviceName) return [];
    return [
      {
        client: first.client.serviceName,
        server: first.server.serviceName,
        ahead: measureWhole(calls) ?? 0n,
      },
    ];
  });
}

function measureLooseEdges(edges: Edges, expectation: Expectation): readonly MeasuredEdge[] {
  return expectation.edges.flatMap(({ client, server, rule }) => {
    const isWhole = edges.calls.some(
      (call) =>
        isSynchronous(call) && call.client.serviceName === client && call.server.serviceName === server,
    );
    const ahead = rule === 'must' && !isWhole ? measureLoose(edges, client, server) : null;
    return ahead === null ? [] : [{ client, server, ahead }];
  });
}

function isSynchronous({ client, server }: Call): boolean {
  return client.kind === 'CLIENT' && server.kind === 'SERVER';
}

function listByWeight(spans: readonly Span[]): readonly (string | null)[] {
  return [...groupBy(spans, (span) => keyFor(span.serviceName))]
    .sort((left, right) => right.length - left.length)
    .flatMap((ofService) => (ofService[0] === undefined ? [] : [ofService[0].serviceName]));
}

/** Moves the spans of every service to one time; the same array where all clocks agree. */
export function alignSpans(spans: readonly Span[], offsets: ClockOffsets): readonly Span[] {
  if (offsets.size === 0) return spans;
  return spans.map((span) => {
    const ahead = offsets.get(span.serviceName) ?? 0n;
    if (ahead === 0n) return span;
    return {
      ...span,
      startTimeUnixNano: span.startTimeUnixNano - ahead,
      endTimeUnixNano: span.endTimeUnixNano - ahead,
    };
  });
}

/** Null where most SERVER spans start while their CLIENT span is open. */
function measureWhole(calls: readonly Call[]): bigint | null {
  const apart = calls.filter(
    ({ client, server }) =>
      server.startTimeUnixNano < client.startTimeUnixNano - tolerance ||
      server.startTimeUnixNano > client.endTimeUnixNano + tolerance,
  );
  return apart.length * 2 > calls.length ? median(apart.map(measureApart)) : null;
}

function measureLoose(edges: Edges, client: string, server: string): bigint | null {
  const clients = edges.openClients.filter((span) => span.kind === 'CLIENT' && span.serviceName === client);
  const servers = [...edges.rootServers, ...edges.orphans]
    .filter((span) => span.kind === 'SERVER' && span.serviceName === server && !isHealthProbe(span))
    .sort((left, right) => (left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1));

  const fitting = clients.filter((span) => servers.some((entry) => compareRequests(span, entry) === 'yes'));
  if (fitting.length < fewestLoose || fitting.length !== servers.length) return null;
  const pairs = fitting.flatMap((span, index) => {
    const entry = servers[index];
    return entry === undefined ? [] : [{ client: span, server: entry }];
  });
  if (pairs.some((pair) => compareRequests(pair.client, pair.server) === 'no')) return null;
  const middle = median(pairs.map(measureApart));
  const isConstant = pairs.every((pair) => {
    const start = pair.server.startTimeUnixNano - middle;
    return (
      start >= pair.client.startTimeUnixNano - tolerance && start <= pair.client.endTimeUnixNano + tolerance
    );
  });
  const overlaps = pairs.every(
    ({ client: one, server: other }) =>
      other.startTimeUnixNano >= one.startTimeUnixNano - tolerance &&
      other.startTimeUnixNano <= one.endTimeUnixNano + tolerance,
  );
  return isConstant && !overlaps ? middle : null;
}

const tolerance = 5_000_000n;

/** As if the server's time lay in the middle of its client's. */
function measureApart({ client, server }: { readonly client: Span; readonly server: Span }): bigint {
  const middleOf = (span: Span): bigint => (span.startTimeUnixNano + span.endTimeUnixNano) / 2n;
  return middleOf(server) - middleOf(client);
}

function median(values: readonly bigint[]): bigint {
  const sorted = [...values].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return sorted[sorted.length >> 1] ?? 0n;
}
