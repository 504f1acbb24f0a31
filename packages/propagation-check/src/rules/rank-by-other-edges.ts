import type { CallGroup } from '../calls/call-group.ts';
import { nameCall } from '../calls/name-call.ts';
import { none } from '../graph/trace-graph.ts';
import { readInstance } from '../span/instance.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { listNames } from '../util/list-names.ts';
import { nameService } from '../util/name-service.ts';
import { rememberOf } from '../util/remember.ts';
import type { Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import { isFromBrowser } from './fix-by-surroundings.ts';
import type { Scene } from './scene.ts';

/** The context may be lost on the way, at the caller, or at the called service. */
const parties: readonly FindingId[] = ['header-stripped', 'header-not-sent', 'header-ignored'];

/** The replicas and instrumentations of the spans on one side of a group. */
type SourcesOf = (group: CallGroup, side: 'client' | 'server') => ReadonlySet<string>;

/**
 * If the instrumentation of the caller sends context to other services, it very probably sends it here too, so `header-not-sent` is ranked
 * after the other two. It is ranked there too if several callers lose their context and no call keeps it. If the called service continues
 * other callers, that becomes a fact only: it may continue only callers that it trusts.
 */
export function prepareRankByOtherEdges(scene: Scene, drafts: readonly Draft[]): (draft: Draft) => Draft {
  const bySymptom = mapBy(drafts, keyOfCalled);
  const ofClients = rememberOf((group: CallGroup) => listSources(scene, group.clients));
  const ofServers = rememberOf((group: CallGroup) => listSources(scene, group.servers));
  const sourcesOf: SourcesOf = (group, side) => (side === 'client' ? ofClients(group) : ofServers(group));
  return (draft) => {
    const { candidates = [] } = draft;
    const suspects = candidates.filter((cause) => parties.includes(cause));
    const unlikely: FindingId = 'header-not-sent';
    const maySend = suspects.includes(unlikely) && !isSentSelectively(scene, draft);
    const caller = maySend ? describeCaller(scene, draft, sourcesOf) : null;
    const fellows = maySend ? describeFellows(scene, draft, bySymptom.get(keyOfCalled(draft)) ?? []) : null;
    const called = suspects.includes('header-ignored') ? describeCalled(scene, draft, sourcesOf) : null;
    const facts = [caller, fellows, called].filter((fact) => fact !== null);
    if (facts.length === 0) return draft;
    const ranked = [...suspects.filter((cause) => cause !== unlikely), unlikely];
    return {
      ...draft,
      candidates:
        caller === null && fellows === null
          ? candidates
          : candidates.map((cause) => ranked[suspects.indexOf(cause)] ?? cause),
      facts,
    };
  };
}

/** A page sends the header only to the origins in a setting, and a library may follow a redirect without the header. */
function isSentSelectively(scene: Scene, draft: Draft): boolean {
  return isFromBrowser(draft) || isRedirected(scene, draft);
}

function keyOfCalled({ id, server, protocol, severity }: Draft): string {
  return keyFor(id, server, protocol, severity);
}

function describeFellows(
  scene: Scene,
  { client, server, protocol }: Draft,
  alike: readonly Draft[],
): string | null {
  const isReached = scene.groupsInto(server).some((group) => group.protocol === protocol);
  if (server === null || protocol === 'messaging' || isReached) return null;
  const others = new Set(
    alike.flatMap((draft) => (draft.client === client ? [] : nameService(draft.client))),
  );
  return others.size === 0
    ? null
    : `calls of ${listNames([...others])} to ${server} lose their context too, and no call keeps it: the cause is probably at ${server} or on the way to it`;
}

function describeCaller(scene: Scene, draft: Draft, sourcesOf: SourcesOf): string | null {
  const others = scene.groupsFrom(draft.client).filter(({ server }) => server !== draft.server);
  const whole = findAlike(scene, draft, 'client', others, sourcesOf);
  return whole === null
    ? null
    : `${nameCall(draft)}s of ${draft.client} to ${nameService(whole.server)} by the same instrumentation are whole: it sends the header there`;
}

function isRedirected({ graph }: Scene, { shown, protocol }: Draft): boolean {
  return protocol === 'http' && shown.some(({ client }) => client !== null && graph.hasChildren(client));
}

function describeCalled(scene: Scene, draft: Draft, sourcesOf: SourcesOf): string | null {
  // A consumer may extract context from single messages but not from batches, or only from the first message of a batch.
  if (draft.protocol === 'messaging') return null;
  const others = scene.groupsInto(draft.server).filter(({ client }) => client !== draft.client);
  const whole = findAlike(scene, draft, 'server', others, sourcesOf);
  return whole === null
    ? null
    : `calls of ${nameService(whole.client)} to ${draft.server} by the same instrumentation are whole: it reads the header there`;
}

/**
 * The first whole calls by an instrumentation that also made this side of the broken calls; null unless every replica and instrumentation
 * on this side of the broken calls also has whole calls.
 */
function findAlike(
  scene: Scene,
  { shown, protocol }: Draft,
  side: 'client' | 'server',
  groups: readonly CallGroup[],
  sourcesOf: SourcesOf,
): CallGroup | null {
  const alike = groups.filter((group) => group.protocol === protocol);
  const spans = shown.flatMap((call) => call[side] ?? []);
  // Spans without a scope may come from several instrumentations.
  if (spans.length < shown.length || spans.some(({ scopeName }) => scopeName === '')) return null;
  const left = listSources(
    scene,
    spans.map((span) => scene.graph.rowOf(span)),
  );
  let first: CallGroup | null = null;
  for (const group of alike) {
    for (const source of sourcesOf(group, side)) {
      if (!left.delete(source)) continue;
      first ??= group;
      if (left.size === 0) return first;
    }
  }
  return null;
}

/** The replicas and instrumentations of rows. Skips a row that equals the previous one, as most do. */
function listSources({ graph }: Scene, rows: ArrayLike<number>): Set<string> {
  const { resources, resourceTable, scopes } = graph.store;
  const sources = new Set<string>();
  let last = rows[0] ?? none;
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] ?? none;
    const isAlike = resources[row] === resources[last] && scopes[row] === scopes[last];
    last = row;
    if (isAlike && at > 0) continue;
    const instance = readInstance(resourceTable[resources[row] ?? 0]?.attributes ?? new Map());
    sources.add(keyFor(instance, scopes[row] ?? 0));
  }
  return sources;
}
