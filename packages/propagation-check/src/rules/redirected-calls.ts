import { type Call, selectCalls } from '../calls/call-group.ts';
import { readStatusCode } from '../calls/http-facts.ts';
import type { BaseScene } from './scene.ts';

/**
 * Calls whose CLIENT span covers a redirect and the request that follows it: the called service answered with a redirect, and the caller
 * saw another answer.
 */
export function listRedirectedCalls({
  graph,
  facts,
  groups,
}: Pick<BaseScene, 'graph' | 'facts' | 'groups'>): readonly Call[] {
  if (!facts.maySome((row) => isRedirect(readStatusCode(row)))) return [];
  return selectCalls(
    graph,
    groups,
    (client, server) => isRedirect(facts.statusCodeOf(server)) && isFollowed(facts.statusCodeOf(client)),
  );
}

/** RFC 9110, section 15.4, without 304, which does not redirect. */
const redirects: ReadonlySet<number | null> = new Set([301, 302, 303, 307, 308]);

function isRedirect(statusCode: number | null): boolean {
  return redirects.has(statusCode);
}

function isFollowed(statusCode: number | null): boolean {
  return statusCode !== null && !isRedirect(statusCode);
}
