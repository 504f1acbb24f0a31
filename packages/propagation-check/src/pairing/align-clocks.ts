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

/** A process or machine whose spans carry its own time. */
export interface Clock {
  readonly service: string | null;
  /** The replica of the service by its resource attributes; null where none identifies it. */
  readonly instance: string | null;
}

export interface ClockOffset extends Clock {
  /** By how many nanoseconds the clock is ahead; never 0. */
  readonly ahead: bigint;
  /**
   * Null where whole calls or expectations connect the clock with the reference clock. Otherwise the offset rests on loose ends alone, and
   * clocks that are connected with each other share one name here.
   */
  readonly guess: string | null;
}

/** The clocks that disagree with the others, by `clockOf`. */
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

/** The key of the clock that timed a span. */
export function clockOf(span: Span): string {
  return keyFor(span.serviceName, readInstance(span.resource));
}

/** By how many nanoseconds the clock of a span is ahead. */
export function aheadOf(offsets: ClockOffsets, span: Span): bigint {
  return offsets.get(clockOf(span))?.ahead ?? 0n;
}

/**
 * Estimates the offset of each replica's clock. Checks compare times, so a clock that is seconds ahead would hide which spans belong
 * together.
 *
 * Whole calls are measured first: a SERVER span starts while its CLIENT span is open. An expected edge without whole calls is measured from
 * its loose ends, if there are as many CLIENT as SERVER spans for the same request, all apart by the same time, and no cache answered.
 * Services that nothing else connects are measured the same way, if requests follow calls at irregular times. A replica without any measure
 * takes the offset of its service's other replicas, if those agree.
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
  // Within each connected group, the clock with the most spans is the reference: a browser's clock is corrected to its backend's.
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

/** Two clocks, by their keys, and their measured difference. */
interface MeasuredEdge {
  readonly client: string;
  readonly server: string;
  /** By how many nanoseconds the server's clock is ahead of the client's. */
  readonly ahead: number;
}

/** Connected clocks get the same name. */
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

/** The offset of each service whose measured replicas agree. If one replica's offset is a guess, so is the service's. */
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

/** The calls between two clocks. */
interface ClockPair {
  readonly client: number;
  readonly server: number;
  /** The SERVER span of the first awaited call; `none` until one is found. */
  first: number;
  /** Client and server rows, alternating, of awaited calls whose server does not start while the client is open. */
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
  // Awaited calls that start inside are counted only for pairs that have calls apart.
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

/**
 * Groups of calls between two services whose client waits for the server. Calls within one service would measure its replicas, but reports
 * name only services.
 */
function listSynchronous({ groups }: Edges): readonly CallGroup[] {
  return groups.filter(
    ({ client, server, clientKind, serverKind }) =>
      clientKind === 'CLIENT' && serverKind === 'SERVER' && client !== server,
  );
}

function keyOfResource({ serviceName, attributes }: SpanStore['resourceTable'][number]): string {
  return keyFor(serviceName, readInstance(attributes));
}

/** By how much the clock of each resource is ahead. */
export function readAhead(offsets: ClockOffsets, store: SpanStore): (resource: number) => bigint {
  const ahead = store.resourceTable.map((resource) => offsets.get(keyOfResource(resource))?.ahead ?? 0n);
  return (resource) => ahead[resource] ?? 0n;
}

/** A client that gave up may have ended before its server began, so its times say nothing about clocks. */
function isAwaited(edges: Edges, client: number): boolean {
  return edges.facts.outcomeOf(client) !== 'unreached';
}

/** Measures the loose ends of all replicas together: a broken call does not say which replica it went to. */
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
 * Guesses edges from loose ends alone: a service has as many calls to one target as another service has requests, and each pair fits. The
 * calls must begin at irregular times, because evenly spaced requests fit any offset. Calls to public hosts are left out: a third party may
 * use the same paths.
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
  const answered = edges.openClients.filter((span) => readOutcome(span) === 'answered');
  if (servers.length === 0 || answered.length === 0) return [];
  const byCount = mapBy(
    servers.map((service) => ({
      service,
      requests: edges.roots.of(service).filter((span) => !isHealthProbe(span)),
    })),
    ({ requests }) => requests.length,
  );
  return groupBy(answered, (span) => keyFor(span.serviceName, nameTarget(span))).flatMap((calls) => {
    const [first] = calls;
    const { host } = readCallFacts(first);
    if (host !== null && !isInside(host)) return [];
    return (byCount.get(calls.length) ?? []).flatMap(({ service, requests }) => {
      const pairs = requests.map((server, at) => ({ client: calls[at] ?? server, server, unique: true }));
      return doStartsFollow(pairs, thresholds)
        ? measureLoose(edges, first.serviceName, service, answersOf, thresholds)
        : [];
    });
  });
}

/** All clocks, the one with the most spans first. */
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
 * The offset that whole calls show; 0 if most SERVER spans start while their CLIENT span is open, or if no single offset fits most of the
 * others: work from a queue starts at any time later.
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

/** Whether the SERVER span starts while its CLIENT span is open, without any correction of clocks. */
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
  // Concurrent calls need not arrive in order: if another pairing fits the uncorrected clocks, there is no offset to measure.
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
