import { readAddress } from '../calls/address.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { type FactSource, readText } from '../calls/fact-source.ts';
import { readMethod, readPath, readRoute, readStatusCode } from '../calls/http-facts.ts';
import { readDestination } from '../calls/messaging-facts.ts';
import { nameCall } from '../calls/name-call.ts';
import { readRpcMethod } from '../calls/rpc-facts.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { Draft } from '../rules/draft.ts';
import type { Scene } from '../rules/scene.ts';
import { instanceAttributes } from '../span/instance.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { nameService } from '../util/name-service.ts';
import { remember, rememberOf } from '../util/remember.ts';
import { nameEdge } from './result.ts';

/** Attributes that may explain why some calls break. Each entry lists alternatives; the first that separates the calls is reported. */
type Keys = readonly (readonly string[])[];

const resourceKeys: Keys = [
  // Reports name pods and hosts by their names, not by their uids.
  instanceAttributes.filter((key) => key !== 'k8s.pod.uid' && key !== 'host.id'),
  ['service.version'],
  ['service.namespace'],
  ['deployment.environment.name', 'deployment.environment'],
  ['k8s.node.name'],
];

/** Reads attributes from one side of a call. */
interface Reader {
  readonly side: 'client' | 'server';
  readonly keys: Keys;
  /** The same function for each key. */
  readonly read: (key: string) => ReadValue;
  /** The keys are of a process, so that any span of it has them. */
  readonly isOfProcess?: boolean;
  /** The keys identify replicas, the machines that they run on, or attempts. */
  readonly isLikeliest?: true;
  /** `key=value` in other words. */
  readonly nameValue?: (key: string, value: string) => string;
}

type ReadValue = (row: number) => string | null;

type SeparableDraft = Pick<Draft, 'client' | 'server' | 'shown' | 'explains' | 'severity' | 'protocol'>;

/**
 * What all calls of a finding have in common and no whole call of the edge has: the replica, version, machine or environment of one side,
 * the address that was called, the endpoint, the instrumentation, the status, or that they repeat a request. It is a fact, not a cause. It is
 * left out if a single call is an exception or if it may well be chance. A replica and a repetition, the likeliest of these, are also reported
 * at a higher probability of chance, which is then given.
 *
 * @param listErrors The errors of the edge of a draft.
 * @returns Describes a draft with this many calls.
 */
export function prepareSeparation(
  scene: Scene,
  listErrors: (draft: SeparableDraft) => readonly Draft[],
): (draft: SeparableDraft, count: number) => readonly string[] {
  /** By edge, which may have thousands of findings. */
  const known = new Map<string, WholeCalls | null>();
  const indexEdge = (draft: SeparableDraft): WholeCalls | null => {
    const groups = scene
      .groupsBetween(draft.client, draft.server)
      .filter(({ protocol }) => protocol === draft.protocol);
    return groups.length === 0 ? null : indexWhole(scene, groups, () => listErrors(draft));
  };
  const readers = {
    attempts: readAttempts(scene),
    fromResources: readResources(scene, 'client'),
    fromScopes: readScopes(scene, 'client'),
    toResources: readResources(scene, 'server'),
    addresses: readAddresses(scene),
    toScopes: readScopes(scene, 'server'),
    requests: readRequests(scene),
    status: readStatus(scene),
  };
  return (draft, count) => {
    const { shown, severity } = draft;
    // A single call has its own value of some attribute.
    if (severity === 'info' || shown.length < 2) return [];
    const edge = nameEdge(draft);
    const whole = known.get(edge) ?? indexEdge(draft);
    known.set(edge, whole);
    if (whole === null) return [];
    const describeBy = (
      reader: Reader,
      come: string,
      [one, all]: readonly [string, string],
    ): readonly string[] => {
      const names = listSeparating(scene, draft, reader, whole);
      if (names.length === 0) return [];
      const calls = whole.count();
      const chance = measureChance(shown.length, calls.seen);
      const { separatedByChance, likelyByChance } = scene.thresholds;
      if (chance > (reader.isLikeliest ? likelyByChance : separatedByChance)) return [];
      const doubt =
        chance > separatedByChance ? ` (by chance in one of ${Math.round(1 / chance)} such captures)` : '';
      return [
        `all ${countOf(count, nameCall(draft))} ${come} ${names.join(', ')}; the ${calls.whole === 1 ? `whole one ${one}` : `${calls.whole} whole ones ${all}`}${doubt}`,
      ];
    };
    const [client, server] = [nameService(draft.client), nameService(draft.server)];
    const comeFrom = ['comes from another', 'come from others'] as const;
    const reached = ['reached another', 'reached others'] as const;
    const called = describeBy(readers.toResources, `reached ${server} with`, reached);
    return [
      ...describeBy(readers.attempts, 'are', ['is not', 'are not']),
      ...describeBy(readers.fromResources, `come from ${client} with`, comeFrom),
      ...describeBy(readers.fromScopes, `come from ${client} with`, comeFrom),
      ...(called.length > 0
        ? called
        : describeBy(readers.addresses, 'went to', ['went to another', 'went to others'])),
      ...describeBy(readers.toScopes, `reached ${server} with`, reached),
      ...describeBy(readers.requests, 'ask for', ['asks for another', 'ask for others']),
      ...describeBy(readers.status, 'ended with', ['ended with another', 'ended with others']),
    ];
  };
}

function readAttempts({ shared }: Scene): Reader {
  const nameAttempt = (row: number): string => (shared.resends().has(row) ? nameOfResends : 'first attempts');
  return {
    side: 'client',
    isLikeliest: true,
    keys: [['resends']],
    read: () => nameAttempt,
    nameValue: (_, value) => value,
  };
}

const nameOfResends = 'resends (retries or redirects)';

/** The instrumentations that made the spans. */
function readScopes({ facts }: Scene, side: Reader['side']): Reader {
  const readScope = (row: number): string | null => facts.scopeOf(row) || null;
  return { side, keys: [['otel.scope.name']], read: () => readScope };
}

function readStatus(scene: Scene): Reader {
  return readSpans(scene, 'client', [['http.response.status_code']], {
    'http.response.status_code': (call) => readStatusCode(call)?.toString() ?? null,
  });
}

function readResources({ graph: { store } }: Scene, side: Reader['side']): Reader {
  return {
    side,
    isLikeliest: true,
    isOfProcess: true,
    keys: resourceKeys,
    read: rememberOf(
      (key) => (row) =>
        store.resourceTable[store.resources[row] ?? 0]?.attributes.get(key)?.toString() || null,
    ),
  };
}

function readAddresses(scene: Scene): Reader {
  const keys = [
    ['network.peer.address'],
    ['server.address'],
    ['server.port'],
    ['messaging.destination.name'],
  ];
  return readSpans(scene, 'client', keys, {
    // The names in each generation of the semantic conventions.
    'network.peer.address': (call) =>
      readText(call, 'network.peer.address', 'net.sock.peer.addr', 'net.peer.ip'),
    'server.address': (call) => readAddress(call).host,
    'server.port': (call) => readAddress(call).port?.toString() ?? null,
    'messaging.destination.name': readDestination,
  });
}

function readRequests(scene: Scene): Reader {
  return readSpans(scene, 'server', [['http.request.method'], ['http.route', 'url.path'], ['rpc.method']], {
    'http.request.method': readMethod,
    'rpc.method': readRpcMethod,
    'http.route': readRoute,
    'url.path': (call) => {
      const path = readPath(call);
      return path === null ? null : withoutIds(path);
    },
  });
}

function readSpans(
  { facts }: Scene,
  side: Reader['side'],
  keys: Keys,
  readers: Readonly<Record<string, (call: FactSource) => string | null>>,
): Reader {
  return { side, keys, read: rememberOf((key) => facts.remember(readers[key] ?? (() => null))) };
}

/** The attributes that separate the calls. */
function listSeparating(
  { graph }: Scene,
  draft: SeparableDraft,
  { side, isOfProcess = false, keys, read, nameValue = (key, value) => `${key}=${value}` }: Reader,
  { areOthers }: WholeCalls,
): readonly string[] {
  const spans = listSides(draft, side) ?? (isOfProcess ? listBeside(draft, side) : null);
  if (spans === null) return [];
  const rows = spans.map((span) => graph.rowOf(span));
  // One attribute at a time: most are excluded by the first whole call.
  return keys.flatMap((some) => {
    for (const key of some) {
      const readValue = read(key);
      const value = findCommon(rows, readValue);
      if (value !== null && areOthers(side, readValue, value)) return [nameValue(key, value)];
    }
    return [];
  });
}

/** The spans of one side; null if a call has none. */
function listSides({ shown }: SeparableDraft, side: Reader['side']): readonly Span[] | null {
  const spans = shown.flatMap((call) => call[side] ?? []);
  return spans.length === shown.length ? spans : null;
}

/**
 * Other spans of the processes on a side of which no call has a span: the requests during which the calls were made, messages that are only
 * counted, or spans below lost ones. Null if there are none, or fewer than calls.
 */
function listBeside(draft: SeparableDraft, side: Reader['side']): readonly Span[] | null {
  const { shown, explains = [] } = draft;
  if (shown.some((call) => call[side] !== null)) return null;
  const during = side === 'client' ? shown.flatMap((call) => call.during ?? []) : [];
  const beside = during.length > 0 ? during : explains;
  const ofService = beside.filter(({ serviceName }) => serviceName === draft[side]);
  return ofService.length < shown.length ? null : ofService;
}

/**
 * The share of all sets of `broken` calls that consist of all calls with one value of an attribute: any set might be the broken one by
 * chance, but few values belong to exactly so many calls.
 */
function measureChance(broken: number, whole: number): number {
  const all = broken + whole;
  const few = Math.min(broken, whole);
  let sets = 1;
  for (let at = 1; at <= few && Number.isFinite(sets); at += 1) sets *= (all - few + at) / at;
  return Math.floor(all / broken) / sets;
}

/** The value that all rows have; null if a row has none or another. */
function findCommon(rows: readonly number[], readValue: ReadValue): string | null {
  const value = readValue(rows[0] ?? none);
  return value !== null && rows.every((row) => readValue(row) === value) ? value : null;
}

/** The whole calls of an edge. */
interface WholeCalls {
  /** Whether each has a value on this side, and another one. */
  areOthers(side: Reader['side'], readValue: ReadValue, value: string): boolean;
  count(): { readonly seen: number; readonly whole: number };
}

function indexWhole(
  { graph }: Scene,
  groups: readonly CallGroup[],
  listErrors: () => readonly Draft[],
): WholeCalls {
  const broken = remember(
    (): ReadonlySet<number> =>
      new Set(
        listErrors()
          .flatMap((error) => error.shown)
          .flatMap((call) => (call.server === null ? [] : graph.rowOf(call.server))),
      ),
  );
  const prepareOthers = {
    client: rememberOf((readValue: ReadValue) =>
      prepareDiffer(listRows('client', groups, broken), readValue),
    ),
    server: rememberOf((readValue: ReadValue) =>
      prepareDiffer(listRows('server', groups, broken), readValue),
    ),
  };
  return {
    areOthers: (side, readValue, value) => prepareOthers[side](readValue)(value),
    count: remember(() => countWhole(graph, groups, broken())),
  };
}

/** Whether all rows have values other than the given one. Reads a row once for all values, and only if the rows before do not decide. */
function prepareDiffer(rows: Iterator<number>, readValue: ReadValue): (value: string) => boolean {
  const seen = new Set<string | null>();
  return (value) => {
    while (!seen.has(null) && !seen.has(value)) {
      const row = rows.next();
      if (row.done) return true;
      seen.add(readValue(row.value));
    }
    return false;
  };
}

/** @param broken SERVER spans of calls that errors report. */
function* listRows(
  side: Reader['side'],
  groups: readonly CallGroup[],
  broken: () => ReadonlySet<number>,
): Generator<number> {
  for (const { clients, servers } of groups) {
    for (let at = 0; at < servers.length; at += 1) {
      const server = servers[at] ?? none;
      if (!broken().has(server)) yield side === 'client' ? (clients[at] ?? none) : server;
    }
  }
}

function countWhole(
  graph: TraceGraph,
  groups: readonly CallGroup[],
  broken: ReadonlySet<number>,
): { readonly seen: number; readonly whole: number } {
  /** Servers with links: a server that received several messages is one observation. */
  const linked = new Set<number>();
  let [seen, whole] = [0, 0];
  for (const { servers } of groups) {
    for (const server of servers) {
      if (broken.has(server)) continue;
      if (!linked.has(server)) seen += 1;
      if (graph.hasLinks(server)) linked.add(server);
      whole += weightOf(graph.store, server);
    }
  }
  return { seen, whole };
}
