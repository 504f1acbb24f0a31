import type { Span } from 'propagation-check';
import { readCallFacts } from 'propagation-check/kit';
import type { Answer } from './answer.ts';
import { readReceivedHeader } from './received-header.ts';

/** The two services of the demo and their routes. */
export interface Parties {
  readonly serviceA: Party;
  readonly serviceB: Party;
}

export interface Party {
  /** The `service.name`. */
  readonly name: string;
  /** The path of its route, such as `/call-b`. */
  readonly route: string;
}

export const demoParties: Parties = {
  serviceA: { name: 'service-a', route: '/call-b' },
  serviceB: { name: 'service-b', route: '/work' },
};

/** The spans of service A's call to service B. Each role may have several spans. */
export interface Roles {
  readonly serverOfA: readonly Span[];
  readonly clientToB: readonly Span[];
  readonly serverOfB: readonly Span[];
}

/**
 * Assigns the spans to their roles by kind, route and parent. The service name decides only for a span without a path, so that a span with a
 * wrong service name is found and reported.
 */
export function findRoles(answer: Answer, spans: readonly Span[], parties: Parties): Roles {
  const serverOfA = spans.filter((span) => serves(span, parties.serviceA));
  const serverOfB = spans.filter((span) => serves(span, parties.serviceB));
  const caller = serverOfA.length === 1 ? serverOfA[0]?.serviceName : parties.serviceA.name;
  const clients = spans.filter((span) => span.kind === 'CLIENT' && span.serviceName === caller);
  const byTarget = clients.filter((span) => pathOf(span)?.endsWith(parties.serviceB.route));
  if (byTarget.length > 0) return { serverOfA, clientToB: byTarget, serverOfB };

  const header = readReceivedHeader(answer);
  const parents = new Set(serverOfB.map((span) => span.parentSpanId));
  if (header.state === 'valid') parents.add(header.spanId);
  return { serverOfA, clientToB: clients.filter((span) => parents.has(span.spanId)), serverOfB };
}

function serves(span: Span, party: Party): boolean {
  if (span.kind !== 'SERVER') return false;
  const path = pathOf(span);
  return path === null ? span.serviceName === party.name : path.endsWith(party.route);
}

/** The path of an HTTP span, otherwise the path in a name such as `GET /work`. */
function pathOf(span: Span): string | null {
  const { route, path } = readCallFacts(span);
  return route ?? path ?? /^[A-Z]+ (\/\S*)$/.exec(span.name)?.[1] ?? null;
}
