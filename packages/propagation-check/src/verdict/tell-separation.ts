import { readText } from '../calls/call-facts.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { nameCall } from '../calls/name-call.ts';
import { none } from '../graph/trace-graph.ts';
import type { Draft, Scene, Shown } from '../rules/check.ts';
import { instanceAttributes } from '../span/instance.ts';
import { weightOf } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';

/** Attributes that may tell why some calls break: of each line the first that separates them. */
const resourceKeys: readonly (readonly string[])[] = [
  // People know a pod and a host by their names.
  instanceAttributes.filter((key) => key !== 'k8s.pod.uid' && key !== 'host.id'),
  ['service.version'],
  ['k8s.node.name'],
];
const peerKeys: readonly (readonly string[])[] = [['network.peer.address']];

/** Reads attributes of one side of calls. */
interface Reader {
  readonly side: 'client' | 'server';
  readonly keys: readonly (readonly string[])[];
  /** Rows of one kind have the same attributes. */
  readonly kindOf: (row: number) => string | number | null;
  readonly read: (row: number, key: string) => string | null;
}

/**
 * What all calls of a report have in common, and no whole call of the edge has: the replica, version or machine of one side, or the address
 * that was called. It is a fact and no cause: a single exception on either side leaves it out.
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
    ...(called.length > 0 ? called : tell(readPeers(scene), ['went to', 'went to others'])),
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

/** The names that each generation of the semantic conventions has for it. */
function readPeers({ facts }: Scene): Reader {
  const read = (row: number): string | null =>
    readText(facts.at(row), 'network.peer.address', 'net.sock.peer.addr', 'net.peer.ip');
  return { side: 'client', keys: peerKeys, kindOf: read, read };
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
  const rows = shown.flatMap((call) => (call[side] === null ? [] : graph.rowOf(call[side])));
  const ofKinds = new Map(rows.map((row) => [kindOf(row), row]));
  let left = keys.flat().flatMap((key) =>
    findCommon(
      [...ofKinds.values()].map((row) => read(row, key)),
      key,
    ),
  );
  if (rows.length < shown.length || left.length === 0) return null;
  const broken = new Set(
    listErrors()
      .flatMap((draft) => draft.shown)
      .flatMap((call) => (call.server === null ? [] : graph.rowOf(call.server))),
  );
  const known = new Set<string | number | null>();
  let whole = 0;
  for (const { clients, servers } of groups) {
    for (let at = 0; at < servers.length; at += 1) {
      const server = servers[at] ?? none;
      if (broken.has(server)) continue;
      whole += weightOf(graph.store, server);
      const row = side === 'client' ? (clients[at] ?? none) : server;
      const kind = kindOf(row);
      if (known.has(kind)) continue;
      known.add(kind);
      left = left.filter(({ key, value }) => ![null, value].includes(read(row, key)));
      if (left.length === 0) return null;
    }
  }
  if (whole < thresholds.fewestSeparated) return null;
  const first = keys.flatMap((some) => left.find(({ key }) => some.includes(key)) ?? []);
  return { names: first.map(({ key, value }) => `${key}=${value}`), whole };
}

function findCommon([first = null, ...others]: readonly (string | null)[], key: string): readonly Common[] {
  return first !== null && others.every((value) => value === first) ? [{ key, value: first }] : [];
}
