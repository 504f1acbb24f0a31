import { measureLag } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { isCallerMissing } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { takeFitting } from '../pairing/limit-work.ts';
import { startsDuring } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import { isCovered } from './coverage.ts';
import { protocolOf } from './draft.ts';
import { keyOfRequestKind } from './missing-client.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { finding } from './server-span-lost.ts';

/** A call, and a request that the called service made for it. */
interface Passed {
  readonly call: Span;
  readonly service: string | null;
  readonly server: Span;
}

/**
 * A call without a child and, in its trace, a request whose parent is missing, while whole calls show that a service between the two
 * answers such calls and makes such requests: all spans of that service are missing in the trace. Only a warning, because nothing but the
 * whole calls says that the service took part. Expected edges are left to the rules that judge each edge.
 */
export const lostServices = rule<Group<Passed>>({
  finding,
  measure: (scene, open) => {
    const orphans = open.orphans.filter(
      (span) =>
        isEntry(span) &&
        isCallerMissing(scene.graph, span) &&
        scene.expectation.edges.every((edge) => edge.server !== span.serviceName),
    );
    if (orphans.length === 0) return [];
    const clients = new Set(open.clients);
    const openAtStart = scene.graph.indexTraces(orphans, scene.thresholds.clockTolerance);
    const answering = rememberOf((client: string | null) => indexAnswering(scene, client));
    const found = orphans.flatMap((server): readonly Passed[] => {
      const callers = scene.groupsInto(server.serviceName).map(({ client }) => client);
      const findBetween = (call: Span) =>
        [...(answering(call.serviceName).get(keyOfRequestKind(call)) ?? [])].find((service) =>
          callers.includes(service),
        );
      return takeFitting(
        openAtStart(server),
        bounds.looks,
        1,
        (span) =>
          clients.has(span) &&
          span.serviceName !== server.serviceName &&
          !callers.includes(span.serviceName) &&
          startsDuring(server, span, scene.thresholds) &&
          findBetween(span) !== undefined,
      ).map((call) => ({ call, service: findBetween(call) ?? null, server }));
    });
    return groupBy(found, ({ call, service }) => keyFor(call.serviceName, service));
  },
  gates: [
    gate(
      'the service in between delivered spans from before and after the call',
      (passed, scene) => passed.some((one) => isServiceDue(scene, one)),
      ([{ service }]) => `${service} delivered none that late, or none that early`,
    ),
  ],
  looseEnds: (passed) => passed.map(({ server }) => server),
  report: (passed) => {
    const [{ call, service }] = passed;
    return finding.report({
      severity: 'warning',
      isLikely: true,
      client: call.serviceName,
      server: service,
      protocol: protocolOf(call),
      shown: groupBy(passed, (one) => keyFor(one.call.traceId, one.call.spanId)).map(([first]) => ({
        client: first.call,
        server: null,
        says: `${first.server.kind} "${first.server.name}" of ${first.server.serviceName} hangs under ${first.server.parentSpanId}, which never arrived`,
      })),
      explains: passed.map(({ server }) => server),
    });
  },
});

/** By the kind of a request: the services that answer such calls of the client. */
function indexAnswering(
  { groupsFrom, facts }: Scene,
  client: string | null,
): ReadonlyMap<string, ReadonlySet<string | null>> {
  const nameKind = facts.remember(keyOfRequestKind);
  const services = new Map<string, Set<string | null>>();
  for (const { server, clients } of groupsFrom(client)) {
    for (const row of clients) {
      const kind = nameKind(row);
      services.set(kind, (services.get(kind) ?? new Set()).add(server));
    }
  }
  return services;
}

function isServiceDue(scene: Scene, { call, service }: Passed): boolean {
  const lag = measureLag(scene.groupsBetween(call.serviceName, service), 'server');
  return isCovered(scene, service, call.startTimeUnixNano, call.endTimeUnixNano + lag);
}
