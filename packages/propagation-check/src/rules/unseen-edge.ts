import { asksBroker } from '../calls/broker-api.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import type { Call } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { isHiddenByBrowser } from '../calls/http-facts.ts';
import { readOutcome, readUnreachedStatus } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import { isUnconnected } from '../calls/unconnected.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { listNames } from '../util/list-names.ts';
import { isToOwnAddress, listDirectCalls } from './direct-calls.ts';
import { type Doubt, type Draft, protocolOf } from './draft.ts';
import { listUnseenEdges } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { finding as missingCall } from './missing-call.ts';
import { ofSender } from './missing-call-causes.ts';
import { finding as missingClient } from './missing-client.ts';
import { finding as missingServer } from './missing-server.ts';
import { listOthers, suggestService } from './misspelt-service.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { finding as spanLostInService } from './span-lost-in-service.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { handsOn, isMessage, listSends, messageCauses } from './split-message.ts';

/** An expected edge without a whole call and without a report of an earlier rule. */
interface UnseenEdge {
  readonly open: Open;
  readonly edge: ExpectedEdge;
  /** Calls of the caller without a child. */
  readonly calls: readonly Span[];
}

const leftNoCall: readonly FindingId[] = ['client-not-instrumented', 'server-not-instrumented'];

const leftNoSpan: readonly FindingId[] = ['server-span-lost', 'server-not-instrumented', 'not-sampled'];

interface DarkService extends UnseenEdge {
  readonly direct: readonly Call[];
}

/** The called service has no spans and passes the context on, so its caller and its callees are connected directly. */
export const darkServices = rule<DarkService>({
  finding: missingServer,
  measure: (scene, open) =>
    measureUnseenEdges(scene, open).map((unseen) => ({
      ...unseen,
      direct: listDirectCalls(scene, unseen.edge),
    })),
  gates: [
    gate(
      'the called service has no span in these traces, and the caller is connected with services that it is expected to call',
      ({ direct }) => direct.length > 0,
      ({ edge }) => `no call of ${edge.client} goes past ${edge.server}`,
    ),
  ],
  looseEnds: ({ calls }) => calls,
  report: ({ edge: { client, server }, direct }, scene) =>
    missingServer.report({
      client,
      server,
      protocol: protocolOf(direct[0]?.client),
      candidates: leftNoSpan,
      ...(direct.every(isToOwnAddress) ? { doubt: doubtDetour(client, server) } : {}),
      shown: direct.map((call) => ({
        client: call.client,
        server: null,
        says: isToOwnAddress(call)
          ? `continued directly by ${call.server.serviceName}, which names the called address as its own`
          : `continued directly by ${call.server.serviceName}: ${server} passed the context on and left no span`,
      })),
      passed: {
        service: server,
        servers: direct
          .filter((call) => !scene.shared.isExpectedDirectly(client, call.server.serviceName))
          .map((call) => call.server),
      },
    }),
});

function doubtDetour(client: string, server: string): Doubt {
  return {
    says: `${client} may have made these calls itself, past ${server}, unless ${server} keeps the Host header.`,
    decide: [
      `Look for one of these calls in the log of ${server}: if it is there, ${server} passed the context on and left no span; otherwise send a request that makes ${client} call ${server}, and check again`,
    ],
  };
}

/** Neither side has a span of the edge. */
export const unseenEdges = rule<UnseenEdge>({
  finding: missingCall,
  measure: measureUnseenEdges,
  gates: [
    gate(
      'one of the two services has spans, or no service has',
      ({ edge }, scene) =>
        scene.services.has(edge.client) ||
        scene.services.has(edge.server) ||
        scene.services.names().length === 0,
      ({ edge }) => `neither ${edge.client} nor ${edge.server} has any: their names may be wrong`,
    ),
    gate(
      'a service without spans cannot be one that the expectations do not name',
      (unseen, scene) => listOtherNames(scene, unseen).length === 0,
      (unseen, scene) => `it may be ${listNames(listOtherNames(scene, unseen))}`,
    ),
    gate(
      'no earlier rule reports the edge',
      ({ open, edge }) => open.found.every((draft) => !isSameEdge(draft, edge)),
      ({ edge }) => `${edge.client} -> ${edge.server}`,
    ),
    // Callees of a service without spans are connected past it, which is reported already.
    gate(
      'the caller has spans of the edge, or no whole call reaches the called service',
      ({ open, edge }, scene) =>
        (scene.services.has(edge.client) &&
          !open.found.some(({ passed }) => passed?.service === edge.client)) ||
        scene.groupsInto(edge.server).length === 0,
      ({ edge }) => `${edge.client} has none, and ${edge.server} is called`,
    ),
  ],
  looseEnds: ({ calls }) => calls,
  report: (unseen, scene) => {
    const continued = listContinued(scene, unseen);
    const sent = selectSentByCaller(scene, unseen, continued);
    if (sent.length > 0) return reportContinued(unseen, sent);
    const unreached = unseen.calls.filter(isUnreached);
    return unreached.length > 0
      ? reportUnreached(unseen, unreached)
      : reportUnseen(scene, unseen, continued.length > 0);
  },
});

/** The services that may be meant by a name of the edge without spans: the name in the expectation may be wrong. */
function listOtherNames(scene: Scene, { edge, calls }: UnseenEdge): readonly string[] {
  return [edge.client, edge.server].flatMap((name) => {
    const isKnown = calls.some(isUnreached) && suggestService(scene, name) === null;
    return isKnown ? [] : listOthers(scene, name);
  });
}

/**
 * Spans of the callee in traces of the caller, under a missing span of the callee. Equal trace ids prove that context arrived; the missing
 * span may not have ended.
 */
function listContinued(scene: Scene, { open, edge }: UnseenEdge): readonly Span[] {
  const ofCaller = new Set(scene.spansOf(edge.client).map((span) => span.traceId));
  return open.orphans.filter(
    (span) =>
      span.serviceName === edge.server &&
      ofCaller.has(span.traceId) &&
      !isEntry(span) &&
      isParentRemote(span) !== true,
  );
}

/** The spans whose context only the caller can have sent: all earlier spans of their traces belong to the two services. */
function selectSentByCaller(
  { graph }: Scene,
  { edge }: UnseenEdge,
  continued: readonly Span[],
): readonly Span[] {
  const { traces } = graph.index;
  const rowsOf = new Map(
    continued.map((span): [number | undefined, number[]] => [traces[graph.rowOf(span)], []]),
  );
  for (const [row, trace] of traces.entries()) rowsOf.get(trace)?.push(row);
  return continued.filter((span) => {
    const before = (rowsOf.get(traces[graph.rowOf(span)]) ?? [])
      .filter((row) => graph.startTimeOf(row) < span.startTimeUnixNano)
      .map((row) => graph.serviceOf(row));
    return before.includes(edge.client) && before.every((one) => one === edge.client || one === edge.server);
  });
}

function reportContinued({ edge: { client, server } }: UnseenEdge, spans: readonly Span[]): Draft {
  return spanLostInService.report({
    isLikely: true,
    client,
    server,
    protocol: protocolOf(spans[0]),
    shown: spans.map((span) => ({
      client: null,
      server: span,
      says: `${span.kind} "${span.name}" is in a trace of ${client}, so its context arrived; its parent ${span.parentSpanId} is not here: it has not ended, or was lost`,
    })),
  });
}

function reportUnreached({ edge: { client, server } }: UnseenEdge, calls: readonly Span[]): Draft {
  const isConnected = calls.some((call) => !isUnconnected(call));
  return missingServer.report({
    client,
    server,
    protocol: protocolOf(calls[0]),
    // Without a connection there was no SERVER span to lose.
    ...(isConnected ? { candidates: leftNoSpan } : {}),
    doubt: {
      says: `No answer shows that ${server} was reached.`,
      decide: [`Repair the call: its span, or the log of ${client}, tells why it failed. Then check again`],
    },
    shown: calls.map((call) => ({
      client: call,
      server: null,
      says: isHiddenByBrowser(call)
        ? 'the browser failed or refused it (status 0), and its console says why; for CORS the called service has to answer the preflight and to allow the traceparent header'
        : describeUnreached(call),
    })),
  });
}

function isUnreached(call: Span): boolean {
  return readOutcome(call) === 'unreached';
}

function describeUnreached(call: Span): string {
  if (isUnconnected(call)) return 'got no connection, so that no SERVER span belongs to it';
  const status = readUnreachedStatus(call);
  const how =
    status === null
      ? 'without an answer of the called service'
      : `with status ${status}, which may not come from the called service itself`;
  return `ended ${how}: it may never have been reached`;
}

/** @param hasArrived Whether context reached the callee, from this caller or another. */
function reportUnseen(scene: Scene, { open, edge, calls }: UnseenEdge, hasArrived: boolean): Draft {
  const { client, server } = edge;
  // An error on another edge to the callee explains what reached it, so this edge is only a warning.
  const isElsewhere = open.found.some((draft) => draft.severity === 'error' && draft.server === server);
  const seen = {
    severity: isElsewhere || hasArrived ? ('warning' as const) : ('error' as const),
    client,
    server,
    protocol: 'http' as const,
    shown: [],
  };
  if (!scene.services.has(client))
    return missingClient.report({
      ...seen,
      candidates: ['not-sampled', 'client-span-lost', 'server-not-instrumented'],
    });
  if (mayBeUnaligned(scene, open, calls, server))
    return missingCall.report({
      ...seen,
      candidates: listUnseenCauses(scene, { open, edge, calls }, splitCauses),
      facts: [
        `calls of ${client} reached no SERVER span that is here, and requests of ${server} began traces at other times: if the clocks of the two differ, they may be two sides`,
      ],
    });
  const brokers = listBrokers(scene, { open, edge, calls });
  return missingCall.report({
    ...seen,
    ...(brokers.length > 0 || receivesMessages(open, server) ? { protocol: 'messaging' } : {}),
    candidates: listUnseenCauses(scene, { open, edge, calls }, leftNoCall),
    ...(brokers.length > 0
      ? {
          facts: [
            `${client} calls ${listNames(brokers)}, an API of a broker, and has no PRODUCER span: CLIENT spans of such calls usually put no header into a message`,
          ],
        }
      : {}),
  });
}

/** @param others The causes that do not concern messages. */
function listUnseenCauses(
  scene: Scene,
  unseen: UnseenEdge,
  others: readonly FindingId[],
): readonly FindingId[] {
  const { open, edge, calls } = unseen;
  const isSent =
    calls.some((span) => span.kind === 'PRODUCER' || handsOn(scene, span)) ||
    listSends(scene, edge.client).length > 0;
  const isReceived = receivesMessages(open, edge.server);
  const isAsked = isReceived || listBrokers(scene, unseen).length > 0;
  // A broker may deliver a message as an HTTP request, with the context in its body.
  const ofMessages = isSent ? messageCauses : isAsked ? ofSender : [];
  const causes = [...new Set([...ofMessages, ...others, 'not-sampled' as const])];
  if (isReceived) return causes.filter((cause) => cause !== 'server-not-instrumented');
  return ofMessages.length > 0 && !scene.services.hasEntries(edge.server)
    ? moveToFront(causes, 'server-not-instrumented')
    : causes;
}

/** Whether all roots of a service are messages. */
function receivesMessages({ roots }: Open, service: string): boolean {
  const began = roots.of(service).filter((root) => !isHealthProbe(root));
  return began.length > 0 && began.every(isMessage);
}

/** The broker APIs that a service without PRODUCER spans calls. */
function listBrokers({ services }: Scene, { edge: { client }, calls }: UnseenEdge): readonly string[] {
  if (services.hasKind(client, 'PRODUCER')) return [];
  const names = calls.filter(asksBroker).flatMap((span) => {
    const { host, rpcMethod } = readCallFacts(span);
    return host ?? rpcMethod ?? [];
  });
  return [...new Set(names)].sort();
}

/** Whether calls of the caller without a child fit roots of the callee, but clocks differ too much to pair them. */
function mayBeUnaligned(
  { thresholds: { mostRootsCompared: most } }: Scene,
  open: Open,
  calls: readonly Span[],
  server: string,
): boolean {
  const requests = open.roots.first(server, most).filter((root) => !isHealthProbe(root));
  return calls
    .slice(0, most)
    .some(
      (call) => call.kind === 'CLIENT' && requests.some((request) => compareRequests(call, request) !== 'no'),
    );
}

function measureUnseenEdges(scene: Scene, open: Open): readonly UnseenEdge[] {
  return listUnseenEdges(scene, open).map((edge) => ({
    open,
    edge,
    calls: open.clients.filter((span) => span.serviceName === edge.client),
  }));
}
