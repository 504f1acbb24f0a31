import { readCallFacts } from '../calls/call-facts.ts';
import { type Call, type CallGroup, groupCalls, viewCalls } from '../calls/call-group.ts';
import { isPublicName } from '../calls/inside.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import { nameService } from '../util/name-service.ts';
import { defineFinding } from './define-finding.ts';
import { edgeOf } from './draft.ts';
import { gate, rule } from './rule.ts';

export const finding = defineFinding('wrong-parent', {
  kind: 'cause',
  isConclusive: true,
  shows: "B's SERVER span has a parent that exists and is not the CLIENT span",
  title: 'The header names the wrong span',
  why: 'The SERVER span has a parent that is not the CLIENT span of the call.',
  fix: 'Inject after the CLIENT span has been started and made current, into the headers of that call only, or leave it to the instrumentation.',
  ofMessages: {
    title: 'The message names the wrong span',
    why: 'The receiving span has a span of the sender as parent or link that is not the PRODUCER span of the message.',
    fix: 'Inject after the PRODUCER span has been started and made current, or leave it to the instrumentation. Where the context of another span is meant, link the PRODUCER span to that. Handle each message in its own context.',
  },
});

/** SERVER spans of an edge whose parent is not a CLIENT span: a span of the caller, or a SERVER span that had ended before. */
interface MisledEdge {
  readonly calls: readonly Call[];
  /** The SERVER spans with calls of the same request that have no child. */
  readonly pairs: Group<Pair>;
  /** Whether these calls go to the address of the server. */
  readonly areAddressed: boolean;
}

/**
 * The header named a span that exists and is not the CLIENT span of the call, typically because the context was injected before the CLIENT
 * span was started. Runs after `stale-context`, which takes the calls whose wrong parent had ended.
 */
export const wrongParents = rule<MisledEdge>({
  finding,
  measure: (scene, open) => {
    // CLIENT spans only: all messages of a broker have its port in common.
    const clientsOf = mapBy(
      open.clients.filter(({ kind }) => kind === 'CLIENT'),
      (span) => span.serviceName,
    );
    if (clientsOf.size === 0) return [];
    const misled = scene.groups.filter(
      (group) => group.clientKind !== 'CLIENT' && (clientsOf.has(group.client) || isLate(group)),
    );
    return groupCalls(misled).flatMap((groups) => {
      const [{ client: above, server: below }] = groups;
      const calls = viewCalls(scene.graph, groups);
      const clients =
        clientsOf.get(above) ?? (calls.every(isBelowAnswered) ? listOthers(clientsOf, below) : []);
      const servers = calls.map((call) => call.server);
      const areOfOneRequest = (client: Span, server: Span): boolean =>
        client.traceId === server.traceId && compareRequests(client, server) === 'yes';
      const addressed = pairSpans(
        clients,
        servers,
        (client, server) => areOfOneRequest(client, server) && isAddressedTo(client, server),
        scene.thresholds,
      );
      const areAddressed = addressed.length > 0;
      const [first, ...others] = areAddressed
        ? addressed
        : pairSpans(clients, servers, areOfOneRequest, scene.thresholds);
      return first === undefined ? [] : [{ calls, pairs: [first, ...others], areAddressed }];
    });
  },
  gates: [
    // In a cluster, callers use names and ports that servers do not see. A single such call may go to another peer with the same path.
    gate(
      'calls to the address of the server, or several and one for every SERVER span',
      ({ calls, pairs, areAddressed }, { thresholds }) =>
        areAddressed || (pairs.length >= thresholds.fewestMisled && pairs.length === calls.length),
      ({ calls, pairs }) =>
        `${countOf(pairs.length, 'call')} to another address for ${countOf(calls.length, 'SERVER span')}`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ client }) => client),
  report: ({ calls, pairs }) => {
    const parentOf = new Map(calls.map((call) => [call.server, call.client]));
    // Another service may have made the same request later, without a CLIENT span.
    const isOfOther = calls[0]?.client.serviceName !== pairs[0].client.serviceName;
    return finding.report({
      ...(isOfOther ? { isLikely: true } : {}),
      ...edgeOf(pairs[0]),
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `parent is ${describeParent(client, parentOf.get(server))} instead of CLIENT ${client.spanId}`,
      })),
    });
  },
});

/** The headers of an answer were sent on: an authorization service answered a gateway, which then called the service. */
function isLate({ clientKind, extremes }: CallGroup): boolean {
  return clientKind === 'SERVER' && extremes.apart > 0;
}

function isBelowAnswered({ client, server }: Call): boolean {
  return client.kind === 'SERVER' && server.startTimeUnixNano >= client.endTimeUnixNano;
}

/** Calls of other services, without those to a public name: these may go to a third party with the same path. */
function listOthers(
  clientsOf: ReadonlyMap<string | null, readonly Span[]>,
  called: string | null,
): readonly Span[] {
  return [...clientsOf].flatMap(([service, spans]) =>
    service === called ? [] : spans.filter((span) => !isPublicName(readCallFacts(span).host)),
  );
}

function describeParent(caller: Span, parent: Span | undefined): string {
  const named = `${parent?.kind} "${parent?.name}"`;
  return parent?.serviceName === caller.serviceName
    ? named
    : `${named} of ${nameService(parent?.serviceName ?? null)}`;
}
