import { readCallFacts } from '../calls/call-facts.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { isRoot } from '../graph/trace-graph.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { readInstance } from '../span/instance.ts';
import type { Attributes, Span } from '../span/span.ts';
import type { FindingId } from './finding.ts';
import { arrived } from './header-cause.ts';
import type { Scene } from './scene.ts';

/** The causes that spans alone cannot distinguish. */
export const splitCauses: readonly FindingId[] = [
  'header-stripped',
  'header-not-sent',
  'header-ignored',
  'format-mismatch',
  'header-malformed',
  'header-duplicated',
  'header-rewritten',
  'server-not-instrumented',
  'client-not-instrumented',
];

/** Observations that support a cause, the strongest first. */
const observations: readonly {
  readonly cause: FindingId;
  readonly isSeen: (scene: Scene, pairs: readonly Pair[]) => boolean;
}[] = [
  // HTTP spans read no `params._meta`.
  {
    cause: 'server-not-instrumented',
    isSeen: (_, pairs) => pairs.every(({ client, server }) => isOfMcp(client) && !isOfMcp(server)),
  },
  // A header arrived: the SERVER span names a parent.
  { cause: 'header-rewritten', isSeen: (_, pairs) => pairs.some(({ server }) => !isRoot(server)) },
  // Only some replicas of the called service begin traces.
  { cause: 'header-ignored', isSeen: (scene, pairs) => areOtherInstances(scene, pairs, 'server') },
  // Only some replicas of the caller have broken calls. A caller has many replicas, so a few broken calls show little.
  {
    cause: 'header-not-sent',
    isSeen: (scene, pairs) =>
      pairs.length >= scene.thresholds.fewestSeparated && areOtherInstances(scene, pairs, 'client'),
  },
  // Only repetitions of requests are broken: what repeats them does not inject.
  { cause: 'header-not-sent', isSeen: areOtherAttempts },
  // Some calls are whole, so both sides can propagate: something on the way differs.
  { cause: 'header-stripped', isSeen: (scene, pairs) => listWhole(scene, pairs).length > 0 },
  // The called port is not the one on which the server listens: a hop stands in between.
  { cause: 'header-stripped', isSeen: (_, pairs) => pairs.some(isBehindHop) },
];

/** The likeliest first. */
export function rankSplitCauses(scene: Scene, pairs: readonly Pair[]): readonly FindingId[] {
  if (pairs.every(isSpanIdKept)) return moveToFront(arrived, 'header-rewritten');
  const seen = observations.find(({ isSeen }) => isSeen(scene, pairs));
  return moveToFront(splitCauses, seen?.cause ?? 'header-not-sent');
}

/** The parent of the SERVER span is the CLIENT span. Only the caller knows that id, so it sent a header, and the called service read it. */
function isSpanIdKept({ client, server }: Pair): boolean {
  return server.parentSpanId === client.spanId;
}

function listWhole(scene: Scene, pairs: readonly Pair[]): readonly CallGroup[] {
  const clients = new Set(pairs.map((pair) => pair.client.serviceName));
  const servers = new Set(pairs.map((pair) => pair.server.serviceName));
  return [...clients].flatMap((client) =>
    [...servers].flatMap((server) =>
      scene.groupsBetween(client, server).filter(isOfLayer(pairs.some((pair) => isOfMcp(pair.client)))),
    ),
  );
}

function areOtherInstances(scene: Scene, pairs: readonly Pair[], side: 'client' | 'server'): boolean {
  const instancesOf = (resources: Iterable<Attributes>): Set<string> =>
    new Set([...resources].flatMap((resource) => readInstance(resource) ?? []));
  const { store } = scene.graph;
  const found = new Set<number>();
  for (const { clients, servers } of listWhole(scene, pairs)) {
    for (const row of side === 'client' ? clients : servers) found.add(store.resources[row] ?? 0);
  }
  const split = instancesOf(pairs.map((pair) => pair[side].resource));
  const whole = instancesOf(
    [...found].flatMap((resource) => store.resourceTable[resource]?.attributes ?? []),
  );
  return whole.size > 0 && split.size > 0 && ![...split].some((instance) => whole.has(instance));
}

function areOtherAttempts(scene: Scene, pairs: readonly Pair[]): boolean {
  const whole = listWhole(scene, pairs);
  if (whole.length === 0) return false;
  const resends = scene.shared.resends();
  return (
    pairs.every(({ client }) => resends.has(scene.graph.rowOf(client))) &&
    !whole.some(({ clients }) => clients.some((row) => resends.has(row)))
  );
}

function isBehindHop({ client, server }: Pair): boolean {
  const [called, listening] = [readCallFacts(client).port, readCallFacts(server).port];
  return called !== null && listening !== null && called !== listening;
}

export function moveToFront(causes: readonly FindingId[], best: FindingId): readonly FindingId[] {
  return [best, ...causes.filter((cause) => cause !== best)];
}

/** MCP carries context separately from the HTTP requests below it, so whole calls of one protocol say nothing about the other. */
export function isOfLayer(isMcp: boolean): (group: CallGroup) => boolean {
  return ({ protocol }) => (protocol === 'mcp') === isMcp;
}

export function isOfMcp(span: Span): boolean {
  return readCallFacts(span).protocol === 'mcp';
}
