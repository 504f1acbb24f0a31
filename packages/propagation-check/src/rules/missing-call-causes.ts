import { type CallFacts, readCallFacts } from '../calls/call-facts.ts';
import { asHttp } from '../pairing/compare-requests.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import type { FindingId } from './finding.ts';
import type { Scene } from './scene.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { messageCauses } from './split-message.ts';

export type RequestHead = Pick<CallFacts, 'method' | 'path' | 'userAgent'>;

/**
 * Whether `inner` may be the same request behind a proxy, which passes on method, user agent and path, and may cut a prefix off the path.
 */
export function isForwarded(outer: RequestHead, inner: RequestHead): boolean {
  if (inner.path === null || outer.method !== inner.method) return false;
  const isOfOtherProgram =
    outer.userAgent !== null && inner.userAgent !== null && outer.userAgent !== inner.userAgent;
  return !isOfOtherProgram && (outer.path === inner.path || isWithoutPrefix(outer, inner));
}

/** Without a user agent on both sides, a shorter path may belong to another request of the caller. */
function isWithoutPrefix(outer: RequestHead, inner: RequestHead): boolean {
  const { path } = inner;
  return (
    outer.userAgent !== null &&
    inner.userAgent !== null &&
    path !== '/' &&
    outer.path?.endsWith(path ?? '/') === true
  );
}

/** The called service has a SERVER span for each request, so its server is instrumented. */
export const ofCaller: readonly FindingId[] = ['client-not-instrumented', 'header-not-sent', 'not-sampled'];

/** For a sender without PRODUCER spans. */
export const ofSender: readonly FindingId[] = ['client-not-instrumented', ...messageCauses];

/** For a caller without spans: in ES modules without a loader hook its own server is not instrumented either. */
export const ofDarkCaller: readonly FindingId[] = [...ofCaller, 'server-not-instrumented'];

/**
 * A proxy makes no CLIENT span and either forwards the header or writes its own, so the header may be lost in as many ways as after a
 * CLIENT span.
 */
const ofProxy: readonly FindingId[] = [...moveToFront(splitCauses, 'header-not-sent'), 'not-sampled'];

/** The causes for roots that began during requests of a caller without a CLIENT span for them. */
export function listMissingCallCauses(
  scene: Scene,
  client: string | null,
  pairs: readonly Pair[],
): readonly FindingId[] {
  return isOfProxy(scene, client, pairs) ? ofProxy : ofCaller;
}

/**
 * Whether the service is a proxy without CLIENT spans: other services hang directly under its SERVER spans, and none under a CLIENT span,
 * so no CLIENT span is missing.
 */
export function isOfProxy({ groupsFrom }: Scene, service: string | null, pairs: readonly Pair[]): boolean {
  if (areForwarded(pairs)) return true;
  const kinds = new Set(groupsFrom(service).map(({ clientKind }) => clientKind));
  return kinds.has('SERVER') && !kinds.has('CLIENT');
}

export function areForwarded(pairs: readonly Pair[]): boolean {
  return (
    pairs.length > 0 &&
    pairs.every(({ client, server }) =>
      isForwarded(asHttp(readCallFacts(client)), asHttp(readCallFacts(server))),
    )
  );
}
