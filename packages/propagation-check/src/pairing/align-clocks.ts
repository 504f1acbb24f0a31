import { readCallFacts } from '../calls/call-facts.ts';
import { type CallGroup, someCall } from '../calls/call-group.ts';
import type { Edges } from '../calls/edge.ts';
import { isInside } from '../calls/inside.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { nameTarget } from '../calls/target.ts';
import type { Expectation } from '../expect/expectation.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import { readInstance } from '../span/instance.ts';
import type { Span } from '../span/span.ts';
import type { SpanStore } from '../span/span-store.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import type { AnswerLookup } from './answers.ts';
import { compareRequests } from './compare-requests.ts';
import { doStartsFollow } from './displaced.ts';
import { type Apart, findCommonOffset, isWithin } from './find-common-offset.ts';
import { limitComparisons } from './limit-work.ts';
import { pairSpans } from './pair-spans.ts';
import type { Tolerances } from './times.ts';

/** One process or machine whose spans carry its own time. */
export interface Clock {
  readonly service: string | null;
  /** The replica of the service, as its resource says; null where it does not. */
  readonly instance: string | null;
}

export interface ClockOffset extends Clock {
  /** By how much the clock is ahead, in nanoseconds; never 0. */
  readonly ahead: bigint;
  /**
   * Null where whole calls or expectations connect the clock with the one that gives the time. Else loose ends alone give the offset, and the clocks
   * that are connected with each other have one guess.
   */
  readonly guess: string | null;
}

/** The clocks that do not agree with the others, by `clockOf`. */
export type ClockOffsets = ReadonlyMap<string, ClockOffset>;

/** `rules/thresholds.ts` has the numbers and their reasons. */
export interface ClockThresholds extends Tolerances {
  readonly fewestLoose: number;
  readonly mostGuessed: number;
  readonly apartShare: number;
  readonly alignedShare: number;
  readonly fewestDisplaced: number;
  readonly startSpread: number;
}

/** The key of the clock that a span was timed with. */
export function clockOf(span: Span): string {
  return keyFor(span.serviceName, readInstance(span.resource));
}

/**
 * Estimates how far clocks are apart, of each replica for itself. Checks argue from time, so a clock that is seconds ahead
 * would hide which spans belong together.
 *
 * Whole calls tell it: a SERVER span cannot start before or after its CLIENT span was open. Where an expected edge
 * has none, loose ends do: as many of both for the same request, all apart by the same time, unless a cache gave the answers of
 * earlier requests. So do those of services that nothing else connects, where requests follow calls at irregular times. A replica of which
 * neither tells goes with the others of its service, if those agree.
 */
export function estimateOffsets(
  graph: TraceGraph,
  edges: Edges,
  expectation: Expectation,
  answersOf: AnswerLookup,
  thresholds: ClockThresholds,
): ClockOffsets {
  const loose = measureLooseEdges(edges, expectation, answersOf, thresholds);
  const guesses = measureGuesses(edges, expectation, answersOf, thresholds);
  const isInTime = ({ extremes }: CallGroup): boolean => extremes.apart <= Number(thresholds.clockTolerance);
  if (listSynchronous(edges).every(isInTime) && loose.length === 0 && guesses.length === 0) return new Map();
  const clocks = listByWeight(graph);
  const known = [...measureWholeEdges(graph, edges, thresholds), ...loose];
  const clusterOf = nameClusters(known);
  const measured = [
    ...known,
    ...guesses.filter(({ client, server }) => clusterOf(client) !== clusterOf(server)),
  ];
  const neighbours = mapBy(
    measured.flatMap((edge) => [edge, turn(edge)]),
    ({ client }) => client,
  );
  const offsets = new Map<string, Offset>();
  // The clock with the most spans gives the time to those that it is connected with: a browser follows its backend.
  for (const { key } of clocks) {
    if (offsets.has(key) || !neighbours.has(key)) continue;
    offsets.set(key, inTime);
    const queue = [key];
    for (const at of queue) {
      for (const { server, ahead } of neighbours.get(at) ?? []) {
        if (offsets.has(server)) continue;
        const guess = clusterOf(server) === clusterOf(key) ? null : clusterOf(server);
        offsets.set(server, { ahead: (offsets.get(at) ?? inTime).ahead + ahead, guess });
        queue.push(server);
      }
    }
  }
  const ofService = agreeByService(clocks, offsets, thresholds);
  return new Map(
    clocks.flatMap(({ key, ...clock }) => {
      const { ahead, guess } = offsets.get(key) ?? ofService.get(clock.service) ?? inTime;
      return ahead === 0 ? [] : [[key, { ...clock, ahead: BigInt(ahead), guess }] as const];
    }),
  );
}

/** The offset of one clock while others are measured. */
interface Offset extends Pick<ClockOffset, 'guess'> {
  readonly ahead: number;
}

const inTime: Offset = { ahead: 0, guess: null };

/** Two clocks by their keys. */
interface MeasuredEdge {
  readonly client: string;
  readonly server: string;
  /** Of the server's clock, in nanoseconds. */
  readonly ahead: number;
}

/** The clocks that some edges connect have one name. */
function nameClusters(measured: readonly MeasuredEdge[]): (clock: string) => string {
  const above = new Map<string, string>();
  const clusterOf = (clock: string): string => {
    let top = clock;
    for (let next = above.get(top); next !== undefined; next = above.get(top)) top = next;
    if (top !== clock) above.set(clock, top);
    return top;
  };
  for (const { client, server } of measured) {
    const [one, other] = [clusterOf(client), clusterOf(server)];
    if (one !== other) above.set(one, other);
  }
  return clusterOf;
}

function turn({ client, server, ahead }: MeasuredEdge): MeasuredEdge {
  return { client: server, server: client, ahead: -ahead };
}

/** The offset of each service whose measured replicas agree. It is a guess where that of one is. */
function agreeByService(
  clocks: readonly Clock[],
  offsets: ReadonlyMap<string, Offset>,
  { clockTolerance }: Tolerances,
): ReadonlyMap<string | null, Offset> {
  const groups = groupBy(clocks, ({ service }) => keyFor(service));
  return new Map(
    groups.flatMap((ofService) => {
      const [{ service }] = ofService;
      const known = ofService.flatMap(({ instance }) => offsets.get(keyFor(service, instance)) ?? []);
      const ahead = median(known.map((offset) => offset.ahead));
      const agree = known.every((offset) => Math.abs(offset.ahead - ahead) <= Number(clockTolerance));
      const guess = known.find((offset) => offset.guess !== null)?.guess ?? null;
      return agree ? [[service, { ahead, guess }] as const] : [];
    }),
  );
}

/** Calls between two clocks. */
interface ClockPair {
  readonly client: number;
  readonly server: number;
  /** The SERVER span of the first that was awaited; `none` until one is. */
  first: number;
  /** The rows, client and server in turn, of those that were awaited and do not start inside. */
  readonly apart: number[];
}

function measureWholeEdges(
  graph: TraceGraph,
  edges: Edges,
  thresholds: ClockThresholds,
): readonly MeasuredEdge[] {
  const tolerance = Number(thresholds.clockTolerance);
  const { resourceTable, resources } = graph.store;
  const keys = resourceTable.map(keyOfResource);
  const numberOf = new Map(keys.map((key, resource) => [key, resource]));
  const clocks = keys.map((key) => numberOf.get(key) ?? 0);
  const pairs = new Map<number, ClockPair>();
  const keyOfPair = (clientRow: number, serverRow: number): number =>
    (clocks[resources[clientRow] ?? 0] ?? 0) * clocks.length + (clocks[resources[serverRow] ?? 0] ?? 0);
  const addPair = (key: number): ClockPair => {
    const [client, server] = [Math.floor(key / clocks.length), key % clocks.length];
    const pair = { client, server, first: none, apart: [] };
    pairs.set(key, pair);
    return pair;
  };
  const synchronous = listSynchronous(edges);
  for (const { clients, servers } of synchronous) {
    for (const [at, serverRow] of servers.entries()) {
      const clientRow = clients[at] ?? 0;
      const key = keyOfPair(clientRow, serverRow);
      const pair = pairs.get(key) ?? addPair(key);
      const isInside = startsInside(graph, clientRow, serverRow, tolerance);
      if (!isInside && isAwaited(edges, clientRow)) pair.apart.push(clientRow, serverRow);
      const isFirst = pair.first === none || graph.compare(serverRow, pair.first) < 0;
      if (isFirst && isAwaited(edges, clientRow)) pair.first = serverRow;
    }
  }
  // How many were awaited is asked only where most may be apart.
  const doubtful = new Map([...pairs].filter(([, { apart }]) => apart.length > 0).map(([key]) => [key, 0]));
  if (doubtful.size > 0) {
    for (const { clients, servers } of synchronous) {
      for (const [at, serverRow] of servers.entries()) {
        const clientRow = clients[at] ?? 0;
        const key = keyOfPair(clientRow, serverRow);
        const awaited = doubtful.get(key);
        const isCounted = awaited !== undefined && startsInside(graph, clientRow, serverRow, tolerance);
        if (isCounted && isAwaited(edges, clientRow)) doubtful.set(key, awaited + 1);
      }
    }
  }
  return [...pairs]
    .filter(([, { first }]) => first !== none)
    .sort(([, left], [, right]) => graph.compare(left.first, right.first))
    .map(([key, { client, server, apart }]) => ({
      client: keys[client] ?? '',
      server: keys[server] ?? '',
      ahead: measureWhole(graph, apart, doubtful.get(key) ?? 0, thresholds),
    }));
}

/** Calls between two services whose client waits for the server. Those of one service would tell of its replicas, and a report names services. */
function listSynchronous({ groups }: Edges): readonly CallGroup[] {
  return groups.filter(
    ({ client, server, clientKind, serverKind }) =>
      clientKind === 'CLIENT' && serverKind === 'SERVER' && client !== server,
  );
}

function keyOfResource({ serviceName, attributes }: SpanStore['resourceTable'][number]): string {
  return keyFor(serviceName, readInstance(attributes));
}

/** By how much the clock of each resource is ahead of the others. */
export function readAhead(offsets: ClockOffsets, store: SpanStore): (resource: number) => bigint {
  const ahead = store.resourceTable.map((resource) => offsets.get(keyOfResource(resource))?.ahead ?? 0n);
  return (resource) => ahead[resource] ?? 0n;
}

/** A client that gave up may have ended before its server began: that tells nothing of clocks. */
function isAwaited(edges: Edges, client: number): boolean {
  return edges.facts.outcomeOf(client) !== 'unreached';
}

/** The loose ends of all replicas together: a call that is cut does not say which of them it went to. */
function measureLooseEdges(
  edges: Edges,
  expectation: Expectation,
  answersOf: AnswerLookup,
  thresholds: ClockThresholds,
): readonly MeasuredEdge[] {
  return expectation.edges.flatMap(({ client, server, rule }) => {
    const whole = edges.groups.filter(
      (group) =>
        group.client === client &&
        group.server === server &&
        group.clientKind === 'CLIENT' &&
        group.serverKind === 'SERVER',
    );
    const isWhole = someCall(whole, (row) => isAwaited(edges, row));
    if (rule !== 'must' || isWhole) return [];
    return measureLoose(edges, client, server, answersOf, thresholds);
  });
}

/**
 * Guesses edges from loose ends alone: a service made as many calls to one target as another has requests, each for the same. They must begin at irregular
 * times, since requests at even intervals fit any clock. Calls to public hosts are left out, since a third party may have the same paths.
 */
function measureGuesses(
  edges: Edges,
  expectation: Expectation,
  answersOf: AnswerLookup,
  thresholds: ClockThresholds,
): readonly MeasuredEdge[] {
  const expected = new Set<string | null>(expectation.edges.map(({ server }) => server));
  const servers = edges.roots.services().filter((service) => {
    const count = edges.roots.count(service);
    return count >= thresholds.fewestDisplaced && count <= thresholds.mostGuessed && !expected.has(service);
  });
  if (servers.length === 0) return [];
  const answered = edges.openClients.filter((span) => readOutcome(span) === 'answered');
  return groupBy(answered, (span) => keyFor(span.serviceName, nameTarget(span))).flatMap((calls) => {
    const [first] = calls;
    const { host } = readCallFacts(first);
    if (host !== null && !isInside(host)) return [];
    return servers.flatMap((service) => {
      const requests = edges.roots.of(service).filter((span) => !isHealthProbe(span));
      if (requests.length !== calls.length) return [];
      const pairs = requests.map((server, at) => ({ client: calls[at] ?? server, server, unique: true }));
      return doStartsFollow(pairs, thresholds)
        ? measureLoose(edges, first.serviceName, service, answersOf, thresholds)
        : [];
    });
  });
}

/** The clock with the most spans first. */
function listByWeight(graph: TraceGraph): readonly (Clock & { readonly key: string })[] {
  const { resourceTable, resources, size } = graph.store;
  const clocks = new Map<string, Clock & { readonly key: string; spans: number; first: number }>();
  const ofResource = resourceTable.map((resource) => {
    const key = keyOfResource(resource);
    const { serviceName: service, attributes } = resource;
    const clock = clocks.get(key) ?? {
      key,
      service,
      instance: readInstance(attributes),
      spans: 0,
      first: none,
    };
    clocks.set(key, clock);
    return clock;
  });
  for (let row = 0; row < size; row += 1) {
    const clock = ofResource[resources[row] ?? 0];
    if (clock === undefined || !graph.has(row)) continue;
    clock.spans += 1;
    if (clock.first === none || graph.compare(row, clock.first) < 0) clock.first = row;
  }
  return [...clocks.values()]
    .filter(({ spans }) => spans > 0)
    .sort((left, right) => right.spans - left.spans || graph.compare(left.first, right.first))
    .map(({ key, service, instance }) => ({ key, service, instance }));
}

/**
 * 0 where most SERVER spans start while their CLIENT span is open, and where no one time puts most of them there:
 * work that was handed over starts when it can.
 */
function measureWhole(
  graph: TraceGraph,
  apart: readonly number[],
  inside: number,
  { apartShare, alignedShare, clockTolerance }: ClockThresholds,
): number {
  const { starts, ends } = graph;
  const distances = Array.from({ length: apart.length / 2 }, (_, at): Apart => {
    const [client = 0, server = 0] = [apart[at * 2], apart[at * 2 + 1]];
    return [(starts[server] ?? 0) - (starts[client] ?? 0), (ends[server] ?? 0) - (ends[client] ?? 0)];
  });
  if (distances.length <= (distances.length + inside) * apartShare) return 0;
  const tolerance = Number(clockTolerance);
  const ahead = findCommonOffset(distances, tolerance);
  const fitting = distances.filter((each) => isWithin(each, ahead, tolerance));
  return fitting.length > distances.length * alignedShare ? ahead : 0;
}

/** Whether the SERVER span starts while its CLIENT span is open, by clocks as they are. */
function startsInside(
  { starts, ends }: TraceGraph,
  client: number,
  server: number,
  tolerance: number,
): boolean {
  const start = starts[server] ?? 0;
  return start >= (starts[client] ?? 0) - tolerance && start <= (ends[client] ?? 0) + tolerance;
}

function measureLoose(
  edges: Edges,
  client: string | null,
  server: string | null,
  answersOf: AnswerLookup,
  thresholds: ClockThresholds,
): readonly MeasuredEdge[] {
  const clients = edges.openClients.filter(({ serviceName }) => serviceName === client);
  const servers = [...edges.roots.of(server), ...edges.orphans]
    .filter((span) => span.kind === 'SERVER' && span.serviceName === server && !isHealthProbe(span))
    .sort((left, right) => (left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1));

  const compared = limitComparisons(clients, servers);
  const fitting = clients.filter((span) => compared.some((entry) => compareRequests(span, entry) === 'yes'));
  if (fitting.length < thresholds.fewestLoose || fitting.length !== servers.length) return [];
  if (fitting.some((span) => answersOf(span).some(({ isOfAnother }) => isOfAnother))) return [];
  const pairs = fitting.flatMap((span, index) => {
    const entry = servers[index];
    return entry === undefined ? [] : [{ client: span, server: entry }];
  });
  if (pairs.some((pair) => compareRequests(pair.client, pair.server) === 'no')) return [];
  const distances = pairs.map(measureApart);
  const tolerance = Number(thresholds.clockTolerance);
  const ahead = findCommonOffset(distances, tolerance);
  const fitsAll = (offset: number): boolean => distances.every((apart) => isWithin(apart, offset, tolerance));
  if (!fitsAll(ahead) || fitsAll(0)) return [];
  // Calls at once are not answered in their order: another order may fit the clocks as they are.
  const fits = (span: Span, entry: Span): boolean => compareRequests(span, entry) !== 'no';
  if (pairSpans(fitting, servers, fits, thresholds).length === servers.length) return [];
  return groupBy(pairs, (pair) => keyFor(clockOf(pair.client), clockOf(pair.server))).map(([pair]) => ({
    ...{ client: clockOf(pair.client), server: clockOf(pair.server) },
    ahead,
  }));
}

interface LoosePair {
  readonly client: Span;
  readonly server: Span;
}

function measureApart({ client, server }: LoosePair): Apart {
  return [
    Number(server.startTimeUnixNano - client.startTimeUnixNano),
    Number(server.endTimeUnixNano - client.endTimeUnixNano),
  ];
}
