import { isHealthProbe, readOutcome } from '../calls/call-facts.ts';
import type { Call, Edges } from '../calls/edge.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { compareRequests, limitComparisons, type Tolerances } from './pair.ts';

/** One process or machine whose spans carry its own time. */
export interface Clock {
  readonly service: string | null;
  /** Which of the replicas of the service, as its resource says; null where it does not. */
  readonly instance: string | null;
}

export interface ClockOffset extends Clock {
  /** By how much the clock is ahead, in nanoseconds; never 0. */
  readonly ahead: bigint;
}

/** The clocks that do not agree with the others, by `clockOf`. */
export type ClockOffsets = ReadonlyMap<string, ClockOffset>;

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface ClockThresholds extends Tolerances {
  readonly fewestLoose: number;
  readonly apartShare: number;
  readonly alignedShare: number;
}

/** What tells replicas apart, the finest first (semantic conventions, resources). */
const instanceAttributes = [
  'service.instance.id',
  'k8s.pod.uid',
  'k8s.pod.name',
  'container.id',
  'host.id',
  'host.name',
] as const;

/** The key of the clock that a span was timed with. */
export function clockOf(span: Span): string {
  return keyFor(span.serviceName, instanceOf(span));
}

function instanceOf({ resource }: Span): string | null {
  for (const name of instanceAttributes) {
    const value = resource.get(name);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

/**
 * Estimates how far clocks are apart, of each replica for itself. Checks argue from time, so a clock that is seconds ahead
 * would hide which spans belong together.
 *
 * Whole calls tell it: a SERVER span cannot start before or after its CLIENT span was open. Where an expected edge
 * has none, loose ends do: as many of both for the same request, all apart by the same time. A replica of which
 * neither tells goes with the others of its service, if those agree.
 */
export function estimateOffsets(
  spans: readonly Span[],
  edges: Edges,
  expectation: Expectation,
  thresholds: ClockThresholds,
): ClockOffsets {
  const clocks = listByWeight(spans);
  const measured = [
    ...measureWholeEdges(edges, thresholds),
    ...measureLooseEdges(edges, expectation, thresholds),
  ];
  const neighbours = indexNeighbours(measured);
  const offsets = new Map<string, bigint>();
  // The clock with the most spans gives the time to those that it is connected with: a browser follows its backend.
  for (const { key } of clocks) {
    if (offsets.has(key) || !neighbours.has(key)) continue;
    offsets.set(key, 0n);
    const queue = [key];
    for (const at of queue) {
      for (const { server, ahead } of neighbours.get(at) ?? []) {
        if (offsets.has(server)) continue;
        offsets.set(server, (offsets.get(at) ?? 0n) + ahead);
        queue.push(server);
      }
    }
  }
  const ofService = agreeByService(clocks, offsets, thresholds);
  return new Map(
    clocks.flatMap(({ key, ...clock }) => {
      const ahead = offsets.get(key) ?? ofService.get(clock.service) ?? 0n;
      return ahead === 0n ? [] : [[key, { ...clock, ahead }] as const];
    }),
  );
}

/** Two clocks by their keys. */
interface MeasuredEdge {
  readonly client: string;
  readonly server: string;
  /** Of the server's clock, in nanoseconds. */
  readonly ahead: bigint;
}

function indexNeighbours(measured: readonly MeasuredEdge[]): ReadonlyMap<string, readonly MeasuredEdge[]> {
  const neighbours = new Map<string, MeasuredEdge[]>();
  const both = measured.flatMap((edge) => [
    edge,
    { client: edge.server, server: edge.client, ahead: -edge.ahead },
  ]);
  for (const edge of both) {
    const known = neighbours.get(edge.client);
    if (known === undefined) neighbours.set(edge.client, [edge]);
    else known.push(edge);
  }
  return neighbours;
}

/** What all measured replicas of a service have in common. */
function agreeByService(
  clocks: readonly Clock[],
  offsets: ReadonlyMap<string, bigint>,
  { clockTolerance }: Tolerances,
): ReadonlyMap<string | null, bigint> {
  const groups = groupBy(clocks, ({ service }) => keyFor(service));
  return new Map(
    groups.flatMap((ofService) => {
      const service = ofService[0]?.service ?? null;
      const known = ofService.flatMap(({ instance }) => offsets.get(keyFor(service, instance)) ?? []);
      const middle = median(known);
      const agree = known.every(
        (ahead) => ahead - middle <= clockTolerance && middle - ahead <= clockTolerance,
      );
      return agree ? [[service, middle] as const] : [];
    }),
  );
}

function measureWholeEdges(edges: Edges, thresholds: ClockThresholds): readonly MeasuredEdge[] {
  const groups = groupBy(edges.calls.filter(isSynchronous), ({ client, server }) =>
    keyFor(clockOf(client), clockOf(server)),
  );
  return groups.flatMap((calls) => {
    const first = calls[0];
    if (first === undefined || first.client.serviceName === first.server.serviceName) return [];
    return [
      {
        client: clockOf(first.client),
        server: clockOf(first.server),
        ahead: measureWhole(calls, thresholds) ?? 0n,
      },
    ];
  });
}

/** The loose ends of all replicas together: a call that is cut does not say which of them it went to. */
function measureLooseEdges(
  edges: Edges,
  expectation: Expectation,
  thresholds: ClockThresholds,
): readonly MeasuredEdge[] {
  return expectation.edges.flatMap(({ client, server, rule }) => {
    const isWhole = edges.calls.some(
      (call) =>
        isSynchronous(call) && call.client.serviceName === client && call.server.serviceName === server,
    );
    if (rule !== 'must' || isWhole) return [];
    return measureLoose(edges, client, server, thresholds);
  });
}

/** A client that gave up may have ended before its server began: that tells nothing of clocks. */
function isSynchronous({ client, server }: Call): boolean {
  return client.kind === 'CLIENT' && server.kind === 'SERVER' && readOutcome(client) !== 'unreached';
}

/** The clock with the most spans first. */
function listByWeight(spans: readonly Span[]): readonly (Clock & { readonly key: string })[] {
  return [...groupBy(spans, clockOf)]
    .sort((left, right) => right.length - left.length)
    .flatMap(([first]) =>
      first === undefined
        ? []
        : [{ key: clockOf(first), service: first.serviceName, instance: instanceOf(first) }],
    );
}

/** Moves all spans to one time; the same array where all clocks agree. */
export function alignSpans(spans: readonly Span[], offsets: ClockOffsets): readonly Span[] {
  if (offsets.size === 0) return spans;
  return spans.map((span) => {
    const ahead = offsets.get(clockOf(span))?.ahead ?? 0n;
    if (ahead === 0n) return span;
    return {
      ...span,
      startTimeUnixNano: span.startTimeUnixNano - ahead,
      endTimeUnixNano: span.endTimeUnixNano - ahead,
    };
  });
}

/**
 * Null where most SERVER spans start while their CLIENT span is open, and where no one time puts most of them there:
 * work that was handed over starts when it can.
 */
function measureWhole(calls: readonly Call[], thresholds: ClockThresholds): bigint | null {
  const { apartShare, alignedShare } = thresholds;
  const apart = calls.filter((call) => !startsInside(call, 0n, thresholds));
  if (apart.length <= calls.length * apartShare) return null;
  const ahead = median(apart.map(measureApart));
  const aligned = apart.filter((call) => startsInside(call, ahead, thresholds));
  return aligned.length > apart.length * alignedShare ? ahead : null;
}

/** Whether the SERVER span starts while its CLIENT span is open, were its clock right by so much. */
function startsInside(
  { client, server }: Pick<Call, 'client' | 'server'>,
  ahead: bigint,
  { clockTolerance }: Tolerances,
): boolean {
  const start = server.startTimeUnixNano - ahead;
  return (
    start >= client.startTimeUnixNano - clockTolerance && start <= client.endTimeUnixNano + clockTolerance
  );
}

function measureLoose(
  edges: Edges,
  client: string,
  server: string,
  thresholds: ClockThresholds,
): readonly MeasuredEdge[] {
  const clients = edges.openClients.filter((span) => span.kind === 'CLIENT' && span.serviceName === client);
  const servers = [...edges.rootServers, ...edges.orphans]
    .filter((span) => span.kind === 'SERVER' && span.serviceName === server && !isHealthProbe(span))
    .sort((left, right) => (left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1));

  const compared = limitComparisons(clients, servers);
  const fitting = clients.filter((span) => compared.some((entry) => compareRequests(span, entry) === 'yes'));
  if (fitting.length < thresholds.fewestLoose || fitting.length !== servers.length) return [];
  const pairs = fitting.flatMap((span, index) => {
    const entry = servers[index];
    return entry === undefined ? [] : [{ client: span, server: entry }];
  });
  if (pairs.some((pair) => compareRequests(pair.client, pair.server) === 'no')) return [];
  const middle = median(pairs.map(measureApart));
  const isConstant = pairs.every((pair) => startsInside(pair, middle, thresholds));
  const overlaps = pairs.every((pair) => startsInside(pair, 0n, thresholds));
  if (!isConstant || overlaps) return [];
  return groupBy(pairs, (pair) => keyFor(clockOf(pair.client), clockOf(pair.server))).flatMap(([pair]) =>
    pair === undefined ? [] : [{ client: clockOf(pair.client), server: clockOf(pair.server), ahead: middle }],
  );
}

/** As if the server's time lay in the middle of its client's. */
function measureApart({ client, server }: { readonly client: Span; readonly server: Span }): bigint {
  const middleOf = (span: Span): bigint => (span.startTimeUnixNano + span.endTimeUnixNano) / 2n;
  return middleOf(server) - middleOf(client);
}

function median(values: readonly bigint[]): bigint {
  const sorted = [...values].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return sorted[sorted.length >> 1] ?? 0n;
}
