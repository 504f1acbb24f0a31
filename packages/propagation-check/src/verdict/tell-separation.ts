import {
  type FactSource,
  readAddress,
  readMethod,
  readPath,
  readRoute,
  readText,
} from '../calls/call-facts.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { nameCall } from '../calls/name-call.ts';
import { none } from '../graph/trace-graph.ts';
import type { Draft, Scene, Shown } from '../rules/check.ts';
import { instanceAttributes } from '../span/instance.ts';
import { weightOf } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { keyFor } from '../util/group-by.ts';

/** Attributes that may tell why some calls break: of each line the first that separates them. */
type Keys = readonly (readonly string[])[];

const resourceKeys: Keys = [
  // People know a pod and a host by their names.
  instanceAttributes.filter((key) => key !== 'k8s.pod.uid' && key !== 'host.id'),
  ['service.version'],
  ['service.namespace'],
  ['deployment.environment.name', 'deployment.environment'],
  ['k8s.node.name'],
];

/** Reads attributes of one side of calls. */
interface Reader {
  readonly side: 'client' | 'server';
  readonly keys: Keys;
  /** Rows of one kind have the same attributes. */
  readonly kindOf: (row: number) => string | number;
  readonly read: (row: number, key: string) => string | null;
}

/**
 * What all calls of a report have in common, and no whole call of the edge has: the replica, version, machine or environment of one side, the
 * address that was called, or what its requests ask for. It is a fact and no cause: a single exception on either side leaves it out.
 *
 * @param count How many calls the report is of.
 * @param listErrors Those of the edge.
 */
export function tellSeparation(
  scene: Scene,
  draft: Pick<Draft, 'client' | 'server' | 'shown' | 'severity' | 'protocol'>,
  count: number,
  listErrors: () => readonly Draft[],
): readonly string[] {
  const { client, server, shown, severity, protocol } = draft;
  const groups = scene.groupsBetween(client, server).filter((group) => group.protocol === protocol);
  if (severity === 'info' || shown.length < scene.thresholds.fewestSeparated || groups.length === 0)
    return [];
  const tell = (reader: Reader, [come, others]: readonly [string, string]): readonly string[] => {
    const separated = separate(scene, shown, groups, reader, listErrors);
    if (separated === null) return [];
    const { names, whole } = separated;
    return [
      `all ${countOf(count, nameCall(draft))} ${come} ${names.join(', ')}; the ${whole} whole ones ${others}`,
    ];
  };
  const called = tell(readResources(scene, 'server'), [`reached ${server} with`, 'reached others']);
  return [
    ...tell(readResources(scene, 'client'), [`come from ${client} with`, 'come from others']),
    ...(called.length > 0 ? called : tell(readAddresses(scene), ['went to', 'went to others'])),
    ...tell(readRequests(scene), ['ask for', 'ask for others']),
  ];
}

function readResources({ graph: { store } }: Scene, side: Reader['side']): Reader {
  const kindOf = (row: number): number => store.resources[row] ?? 0;
  return {
    side,
    keys: resourceKeys,
    kindOf,
    read: (row, key) => store.resourceTable[kindOf(row)]?.attributes.get(key)?.toString() || null,
  };
}

function readAddresses(scene: Scene): Reader {
  return readSpans(
    scene,
    'client',
    [['network.peer.address'], ['server.address'], ['server.port']],
    (call) => {
      const { host, port } = readAddress(call);
      return {
        // The names that each generation of the semantic conventions has for it.
        'network.peer.address': readText(call, 'network.peer.address', 'net.sock.peer.addr', 'net.peer.ip'),
        'server.address': host,
        'server.port': port?.toString() ?? null,
      };
    },
  );
}

function readRequests(scene: Scene): Reader {
  return readSpans(scene, 'server', [['http.request.method'], ['http.route', 'url.path']], (call) => {
    const path = readPath(call);
    return {
      'http.request.method': readMethod(call),
      'http.route': readRoute(call),
      'url.path': path === null ? null : withoutIds(path),
    };
  });
}

function readSpans(
  { facts }: Scene,
  side: Reader['side'],
  keys: Keys,
  readAll: (call: FactSource) => Readonly<Record<string, string | null>>,
): Reader {
  const valuesOf = facts.remember(readAll);
  return {
    side,
    keys,
    kindOf: (row) => keyFor(...Object.values(valuesOf(row))),
    read: (row, key) => valuesOf(row)[key] ?? null,
  };
}

/** An attribute, and the value that all broken calls have of it. */
interface Common {
  readonly key: string;
  readonly value: string;
}

/** The attributes that separate the calls, and how many calls are whole; null where none does. Most edges end at the first whole call. */
function separate(
  { graph, thresholds }: Scene,
  shown: readonly Shown[],
  groups: readonly CallGroup[],
  { side, keys, kindOf, read }: Reader,
  listErrors: () => readonly Draft[],
): { readonly names: readonly string[]; readonly whole: number } | null {
  const ofKinds = new Map<ReturnType<Reader['kindOf']>, number>();
  for (const { [side]: span } of shown) {
    if (span === null) return null;
    const row = graph.rowOf(span);
    ofKinds.set(kindOf(row), row);
  }
  let left = keys.flat().flatMap((key) =>
    findCommon(
      [...ofKinds.values()].map((row) => read(row, key)),
      key,
    ),
  );
  if (left.length === 0) return null;
  const broken = new Set(
    listErrors()
      .flatMap((draft) => draft.shown)
      .flatMap((call) => (call.server === null ? [] : graph.rowOf(call.server))),
  );
  const known = new Set<string | number>();
  /** Servers with links that were seen: one may have received several messages, and is one observation. */
  const linked = new Set<number>();
  // Those that were seen; every message, and those that the source counted alone.
  let [seen, whole] = [0, 0];
  for (const { clients, servers } of groups) {
    for (let at = 0; at < servers.length; at += 1) {
      const server = servers[at] ?? none;
      if (broken.has(server)) continue;
      if (!linked.has(server)) seen += 1;
      whole += weightOf(graph.store, server);
      if (graph.hasLinks(server)) linked.add(server);
      const row = side === 'client' ? (clients[at] ?? none) : server;
      const kind = kindOf(row);
      if (known.has(kind)) continue;
      known.add(kind);
      left = left.filter(({ key, value }) => ![null, value].includes(read(row, key)));
      if (left.length === 0) return null;
    }
  }
  if (seen < thresholds.fewestSeparated) return null;
  const first = keys.flatMap((some) => left.find(({ key }) => some.includes(key)) ?? []);
  return { names: first.map(({ key, value }) => `${key}=${value}`), whole };
}

function findCommon([first = null, ...others]: readonly (string | null)[], key: string): readonly Common[] {
  return first !== null && others.every((value) => value === first) ? [{ key, value: first }] : [];
}
