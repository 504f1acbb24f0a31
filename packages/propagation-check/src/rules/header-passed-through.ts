import { type Call, countCalls, selectCalls } from '../calls/call-group.ts';
import { nameTarget } from '../calls/target.ts';
import { isExpected } from '../expect/expectation.ts';
import { bounds } from '../pairing/bounds.ts';
import { compareRequests, isAddressedTo, isSamePath } from '../pairing/compare-requests.ts';
import { takeFitting } from '../pairing/limit-work.ts';
import { durationOf, endsWithin, startsDuring } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { defineFinding } from './define-finding.ts';
import { protocolOf } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';

export const finding = defineFinding('header-passed-through', {
  kind: 'cause',
  isConclusive: false,
  shows: 'B stands beside the hop in front of it, below the same CLIENT span',
  title: 'A hop forwards the header that it received',
  why: 'A service in between makes a span, but its own request still carries the span id that it received.',
  fix: 'Let the hop write its own context: inject after its CLIENT span has begun (a proxy: propagate, not pass through).',
});

/** A SERVER span of a called service and one of a hop, with the same CLIENT span as parent. */
interface Passed {
  readonly caller: Span;
  readonly hop: Span;
  readonly server: Span;
}

/** The cases of one hop and one called service. */
interface PassedThrough {
  readonly passed: Group<Passed>;
  /** The number of whole calls from the hop to the service. */
  readonly whole: number;
  /**
   * Finds the call of the hop that has no child and fits the same request. If other calls are whole, it must go to the address of one of
   * those.
   */
  readonly findCall: (passed: Passed) => Span | null;
}

/**
 * A hop made a SERVER span of its own and passed on the header that it had received: the SERVER span of the called service hangs beside
 * that of the hop, under the same CLIENT span, instead of under the hop.
 */
export const headersPassedThrough = rule<PassedThrough>({
  finding,
  measure: (scene, open) => {
    const groups = scene.groups.filter(({ clientKind }) => clientKind === 'CLIENT');
    if (!groups.some(({ extremes }) => extremes.isRepeated)) return [];
    const repeated = scene.shared.repeatedClients();
    const requests = selectCalls(scene.graph, groups, (client) => repeated.has(client));
    const findIn = lookUpCalls(scene, open);
    const ofOneClient = groupBy(requests, ({ client }) => keyFor(client.traceId, client.spanId));
    const within = ofOneClient.flatMap((calls) => findPassed(scene, calls, findIn, endsWithin));
    const passed = [...within, ...findLate(scene, ofOneClient, within, findIn)];
    const targetOf = scene.facts.remember(nameTarget);
    return groupBy(passed, ({ hop, server }) => keyFor(hop.serviceName, server.serviceName)).map((group) => {
      const [{ hop, server }] = group;
      const between = scene.groupsBetween(hop.serviceName, server.serviceName);
      const targets = new Set(between.flatMap(({ clients }) => Array.from(clients, targetOf)));
      const findCall = (each: Passed): Span | null =>
        findIn(each, (call) => targets.size === 0 || targets.has(nameTarget(call)));
      return { passed: group, whole: countCalls(between), findCall };
    });
  },
  gates: [
    gate(
      'no call of the hop to the service is whole, or calls without a child fit these requests',
      ({ whole, passed, findCall }) => whole === 0 || passed.every((each) => findCall(each) !== null),
      ({ whole }) => String(whole),
    ),
  ],
  looseEnds: ({ passed, findCall }) => passed.flatMap((each) => findCall(each) ?? []),
  report: ({ passed, whole, findCall }, scene) => {
    const [{ hop, server }] = passed;
    const shown = passed.map((each) => ({
      client: findCall(each),
      server: each.server,
      during: each.hop,
      says: `SERVER ${each.server.spanId} has the parent of SERVER ${each.hop.spanId} of ${each.hop.serviceName}, CLIENT ${each.caller.spanId} of ${each.caller.serviceName}, and ${endsWithin(each.server, each.hop, scene.thresholds) ? 'began and ended' : 'began'} within it`,
    }));
    // Mirrored traffic looks the same, unless the hop is expected to call the service, or its CLIENT spans show that it does.
    const isCalling =
      shown.some(({ client }) => client !== null) ||
      isExpected(scene.expectation, hop.serviceName, server.serviceName);
    return finding.report({
      ...(isCalling ? {} : { severity: 'warning' as const }),
      // A hop with whole calls does inject its context, so the cause is only likely.
      isLikely: !isCalling || whole > 0,
      client: hop.serviceName,
      server: server.serviceName,
      protocol: protocolOf(server),
      shown,
      passed: {
        service: hop.serviceName,
        servers: passed
          .filter((each) => !scene.shared.isExpectedDirectly(each.caller.serviceName, server.serviceName))
          .map((each) => each.server),
      },
    });
  },
});

/**
 * For each SERVER span under one CLIENT span, finds the hop whose longer request encloses it. A proxy received the same path; a service has
 * a call of its own without a child for the request.
 */
function findPassed(
  { thresholds }: Scene,
  calls: readonly Call[],
  findCall: FindCall,
  mayEnd: typeof endsWithin,
): readonly Passed[] {
  const servers = calls.map(({ server }) => server);
  const isOfCall = (hop: Span, server: Span): boolean =>
    findCall({ hop, server }, (call) => mayEnd(server, call, thresholds)) !== null;
  return calls.flatMap(({ client: caller, server }) => {
    const [hop] = takeFitting(
      servers,
      bounds.looks,
      1,
      (span) =>
        span.serviceName !== server.serviceName &&
        startsDuring(server, span, thresholds) &&
        mayEnd(server, span, thresholds) &&
        durationOf(server) < durationOf(span) &&
        (isSamePath(span, server) || isOfCall(span, server)),
    );
    return hop === undefined ? [] : [{ caller, hop, server }];
  });
}

/**
 * A loaded process may record the end of a request late. Other requests of the same hop that ended in time, and a call of the hop without a
 * child, show that a late one was passed on too.
 */
function findLate(
  scene: Scene,
  ofOneClient: readonly (readonly Call[])[],
  within: readonly Passed[],
  findCall: FindCall,
): readonly Passed[] {
  const nameEdge = ({ hop, server }: Passed): string => keyFor(hop.serviceName, server.serviceName);
  const isMeant = (): boolean => true;
  const known = new Set(within.filter((each) => findCall(each, isMeant) !== null).map(nameEdge));
  if (known.size === 0) return [];
  const servers = new Set(within.map(({ server }) => server));
  return ofOneClient
    .flatMap((calls) => findPassed(scene, calls, findCall, isMeant))
    .filter(
      (each) => !servers.has(each.server) && known.has(nameEdge(each)) && findCall(each, isMeant) !== null,
    );
}

type FindCall = (passed: Pick<Passed, 'hop' | 'server'>, isMeant: (call: Span) => boolean) => Span | null;

function lookUpCalls({ thresholds }: Scene, { clients }: Open): FindCall {
  const clientsOf = remember(() => mapBy(clients, ({ traceId }) => traceId));
  return ({ hop, server }, isMeant) =>
    clientsOf()
      .get(server.traceId)
      ?.find(
        (span) =>
          span.serviceName === hop.serviceName &&
          startsDuring(server, span, thresholds) &&
          compareRequests(span, server) === 'yes' &&
          // Traffic may be mirrored to this service, and the call go to another address.
          isAddressedTo(span, server) &&
          isMeant(span),
      ) ?? null;
}
