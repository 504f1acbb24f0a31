import { readCallFacts } from '../calls/call-facts.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isCallerMissing } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { listNames } from '../util/list-names.ts';
import { describeHop, nameDarkCaller } from './dark-hop.ts';
import { nameParent, protocolOf } from './draft.ts';
import { hasCall, hasError, listUnseenEdges } from './expected-calls.ts';
import { selectLinkedElsewhere } from './linked-elsewhere.ts';
import { finding } from './missing-client.ts';
import { parentGate } from './parent-gate.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { listUnprovable } from './unprovable.ts';

/** An expected edge, and requests of its callee whose parent is not in the data, or messages whose linked spans are not. */
interface MissingCaller {
  readonly edge: ExpectedEdge;
  readonly orphans: readonly Span[];
  /** The orphans that are like the whole calls of the edge. */
  readonly alike: readonly Span[];
  /** Whether no call of the edge is whole and these requests may be calls that an error already reports, or calls that a cache answered. */
  readonly isOfOthers: boolean;
  /** Other expected callers that these requests fit as well. */
  readonly others: readonly string[];
}

/**
 * Entry spans whose parent is missing, in traces without other spans of the expected caller, and messages whose links lead to missing
 * spans. A caller outside the data looks the same, so this is reported only if the expected caller has no call at all, or if the requests
 * are like its whole calls.
 */
export const missingCallers = rule<MissingCaller>({
  finding,
  measure: (scene, open) =>
    divideRequests(
      scene,
      scene.expectation.edges
        .filter((edge) => edge.rule === 'must')
        .flatMap((edge) => {
          const orphans = [
            ...open.orphans.filter(
              (span) =>
                isEntry(span) && isCallerMissing(scene.graph, span) && span.serviceName === edge.server,
            ),
            ...listLinked(scene, open, edge),
          ];
          const alike = orphans.filter(rememberKind(scene, edge));
          const isSeen = hasError(open, edge) || listUnprovable(scene, open.clients, edge).length > 0;
          const isOfOthers = isSeen && !hasCall(scene, edge.client, edge.server);
          return orphans.length === 0 ? [] : [{ edge, orphans, alike, isOfOthers, others: [] }];
        }),
    ),
  gates: [
    gate(
      'no error or answer explains the requests, or calls of the edge are whole',
      ({ isOfOthers }) => !isOfOthers,
      () => 'an error, or the answer of another call, explains them',
    ),
    gate(
      'some requests have the program (user agent) and a span name of the whole calls of the edge',
      ({ alike }) => alike.length > 0,
      ({ orphans }) => `none of ${orphans.length}`,
    ),
    parentGate(({ alike }) => alike),
  ],
  looseEnds: ({ orphans }) => orphans,
  report: ({ edge, alike, others }, scene) => {
    const hop = nameDarkCaller(scene, edge.client);
    return finding.report({
      client: edge.client,
      server: edge.server,
      protocol: protocolOf(alike[0]),
      candidates: ['client-span-lost', 'not-sampled', 'header-rewritten', 'external-parent'],
      ...(hop === null ? {} : { hop }),
      facts: [
        ...(hop === null ? [] : [describeHop(hop, edge)]),
        ...(others.length === 0
          ? []
          : [`the caller may also be ${listNames(others)}: the expectations name several`]),
      ],
      shown: alike.map((server) => ({
        client: null,
        server,
        says: describeMissing(scene, server),
      })),
    });
  },
});

/**
 * Messages of an edge without calls, whose links lead to spans that are not here. Where the caller has no span at all, whole calls to the
 * service show that other services send the messages.
 */
function listLinked(scene: Scene, open: Open, edge: ExpectedEdge): readonly Span[] {
  const isOfOthers = !scene.services.has(edge.client) && scene.groupsInto(edge.server).length > 0;
  const isReported = open.found.some((draft) => isSameEdge(draft, edge));
  if (isOfOthers || isReported || hasCall(scene, edge.client, edge.server)) return [];
  const linked = selectLinkedElsewhere(scene, edge.server);
  return linked.length > 0 && listUnseenEdges(scene, open).includes(edge) ? linked : [];
}

function describeMissing({ graph }: Scene, server: Span): string {
  const [link] = server.links;
  if (server.parentSpanId !== null || link === undefined)
    return `${nameParent(server)} is not in the data, and neither is any other span of its caller in this trace`;
  const others = graph.hasTrace(link.traceId) ? 'other spans of its trace are' : 'neither is its trace';
  return `links to span ${link.spanId} of trace ${link.traceId}, which is not in the data; ${others}`;
}

/** Reports each request on one edge: the one with whole calls like it; otherwise that of a caller without any span, then the first. */
function divideRequests(scene: Scene, cases: readonly MissingCaller[]): readonly MissingCaller[] {
  const isDark = ({ edge: { client } }: MissingCaller): boolean => !scene.services.has(client);
  const isWhole = ({ edge: { client, server } }: MissingCaller): boolean => hasCall(scene, client, server);
  const open = cases.filter(({ isOfOthers }) => !isOfOthers);
  const whole = open.filter(isWhole);
  const unseen = open.filter((one) => !isWhole(one));
  const taken = new Set<Span>();
  const take = (alike: readonly Span[]): readonly Span[] => {
    const free = alike.filter((span) => !taken.has(span));
    for (const span of free) taken.add(span);
    return free;
  };
  const listRivals = (own: MissingCaller): readonly string[] =>
    unseen
      .filter((other) => other !== own && other.edge.server === own.edge.server)
      .map(({ edge }) => edge.client);
  return [
    ...whole.map((own) => ({ ...own, alike: take(own.alike) })),
    ...[...unseen.filter(isDark), ...unseen.filter((one) => !isDark(one))].map((own) => ({
      ...own,
      alike: take(own.alike),
      others: listRivals(own),
    })),
    ...cases.filter(({ isOfOthers }) => isOfOthers),
  ];
}

/** Whether a request is like the whole calls of the edge: from the same program (user agent), with a span name that these calls reach. */
function rememberKind(scene: Scene, edge: ExpectedEdge): (server: Span) => boolean {
  const whole = scene.groupsBetween(edge.client, edge.server);
  if (whole.length === 0) return () => true;
  let known: ReturnType<typeof describeServers> | null = null;
  return (server) => {
    known ??= describeServers(scene, whole);
    const agent = readCallFacts(server).userAgent;
    return (
      agent !== null && known.agents.size === 1 && known.agents.has(agent) && known.names.has(server.name)
    );
  };
}

function describeServers({ facts }: Scene, groups: readonly CallGroup[]) {
  const [agents, names] = [new Set<string | null>(), new Set<string>()];
  for (const { servers } of groups) {
    for (const row of servers) {
      agents.add(facts.userAgentOf(row));
      names.add(facts.nameOf(row));
    }
  }
  return { agents, names };
}
