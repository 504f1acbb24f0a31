import type { CallGroup } from '../calls/call-group.ts';
import { readInstance } from '../span/instance.ts';
import { keyFor } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import type { Draft, Scene } from './check.ts';
import type { FindingId } from './finding.ts';
import { isFromBrowser } from './fix-by-surroundings.ts';

/** The way between the two services, the caller, and the called service may each lose the context. */
const parties: readonly FindingId[] = ['header-stripped', 'header-not-sent', 'header-ignored'];

/**
 * The instrumentation of a caller that sends context to other services very probably sends it to this one too, and that of a called service
 * that continues the traces of others would continue these: neither is the first to suspect.
 */
export function rankByOtherEdges(scene: Scene, draft: Draft): Draft {
  const { candidates = [] } = draft;
  const suspects = candidates.filter((cause) => parties.includes(cause));
  if (suspects.length <= 1) return draft;
  const cleared = [clearCaller(scene, draft), clearCalled(scene, draft)].filter((one) => one !== null);
  const doubted = suspects.filter((cause) => cleared.some((one) => one.cause === cause));
  if (doubted.length === 0) return draft;
  const ranked = [...suspects.filter((cause) => !doubted.includes(cause)), ...doubted];
  return {
    ...draft,
    candidates: candidates.map((cause) => ranked[suspects.indexOf(cause)] ?? cause),
    facts: cleared.map(({ says }) => says),
  };
}

/** A cause that whole calls of other edges make unlikely. */
interface Cleared {
  readonly cause: FindingId;
  readonly says: string;
}

function clearCaller(scene: Scene, draft: Draft): Cleared | null {
  // A page sends it to the origins that a setting names, and a library may follow a redirect without it.
  if (isFromBrowser(draft) || isRedirected(scene, draft)) return null;
  const others = scene.groups.filter(
    ({ client, server }) => client === draft.client && server !== draft.server,
  );
  const whole = findAlike(scene, draft, 'client', others);
  if (whole === null) return null;
  const says = `${nameCalls(draft)} of ${draft.client} to ${whole.server ?? 'a service without a name'} by the same instrumentation are whole: it sends the header there`;
  return { cause: 'header-not-sent', says };
}

function isRedirected({ graph }: Scene, { shown, protocol }: Draft): boolean {
  return protocol === 'http' && shown.some(({ client }) => client !== null && graph.hasChildren(client));
}

function nameCalls({ protocol }: Draft): string {
  return protocol === 'messaging' ? 'messages' : 'calls';
}

function clearCalled(scene: Scene, draft: Draft): Cleared | null {
  // A consumer may read single messages and no batches, or the first message of a batch alone.
  if (draft.protocol === 'messaging') return null;
  const others = scene.groupsInto(draft.server).filter(({ client }) => client !== draft.client);
  const whole = findAlike(scene, draft, 'server', others);
  if (whole === null) return null;
  const says = `calls of ${whole.client ?? 'a service without a name'} to ${draft.server} are whole by the same instrumentation: it takes the header of those`;
  return { cause: 'header-ignored', says };
}

/**
 * The first whole calls of an instrumentation that made this side of the broken ones; null unless each replica and instrumentation that
 * made some of those is in whole calls, too. Nearly always the first row tells.
 */
function findAlike(
  { graph }: Scene,
  { shown, protocol }: Draft,
  side: 'client' | 'server',
  groups: readonly CallGroup[],
): CallGroup | null {
  const { resources, resourceTable, scopes, kinds } = graph.store;
  const instanceOf = rememberOf((resource: number) =>
    readInstance(resourceTable[resource]?.attributes ?? new Map()),
  );
  const sourceOf = (row: number): string =>
    keyFor(instanceOf(resources[row] ?? 0), scopes[row] ?? 0, kinds[row] ?? 0);
  const alike = groups.filter((group) => group.protocol === protocol);
  const spans = alike.length === 0 ? [] : shown.flatMap((call) => call[side] ?? []);
  if (spans.length === 0 || spans.length < shown.length) return null;
  const left = new Set(spans.map((span) => sourceOf(graph.rowOf(span))));
  let first: CallGroup | null = null;
  for (const group of alike) {
    for (const row of side === 'client' ? group.clients : group.servers) {
      if (!left.delete(sourceOf(row))) continue;
      first ??= group;
      if (left.size === 0) return first;
    }
  }
  return null;
}
