import { readAddress } from '../calls/address.ts';
import { asksBroker } from '../calls/broker-api.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { isPublicName } from '../calls/inside.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { nameTarget, readPeerService } from '../calls/target.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { pairContained } from '../pairing/contained.ts';
import { limitComparisons } from '../pairing/limit-work.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { areOfOneStem } from '../util/suggest-name.ts';
import type { Draft } from './draft.ts';
import { listUnseenEdges } from './expected-calls.ts';
import type { FindingId } from './finding.ts';
import { doubtLinkedElsewhere, listLinkedElsewhere } from './linked-elsewhere.ts';
import { describe, finding, splitByTimeCauses } from './missing-server.ts';
import { isSlipOfOther, suggestService } from './misspelt-service.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { finding as splitTrace } from './split-trace.ts';

/** An expected edge without whole calls, and the calls that may belong to it. */
interface WhollyMissing {
  readonly edge: ExpectedEdge;
  /** Answered CLIENT spans and PRODUCER spans of the caller, and CLIENT spans that name the service. */
  readonly lonely: readonly Span[];
  readonly calls: readonly Span[];
  /** The data show that the calls go to this service, not only by exclusion. */
  readonly isToward: boolean;
  readonly isSplit: boolean;
  /** The called service has no span, and the services that it calls began traces: an SDK would have passed the context on. */
  readonly losesContext: boolean;
}

/** Answered CLIENT spans without a child, on an expected edge without whole calls. */
export const whollyMissingServers = rule<WhollyMissing>({
  finding,
  measure: (scene, open) =>
    listUnseenEdges(scene, open).flatMap((edge) => {
      const lonely = [
        ...open.clients.filter(
          (span) =>
            span.serviceName === edge.client &&
            (span.kind === 'PRODUCER' || readOutcome(span) === 'answered') &&
            scene.shared.findUnprovable(span) === null,
        ),
        ...listNamingPeer(scene, open, edge),
      ];
      if (lonely.length === 0) return [];
      const chosen = selectCallsTo(scene, open, lonely, edge.server);
      return [
        {
          ...{ edge, lonely, ...chosen },
          isSplit: isSplit(scene, open, chosen.calls, edge.server),
          losesContext: losesContext(scene, open, edge.server),
        },
      ];
    }),
  gates: [
    gate(
      'some calls may go to the service: by its name, to its port, or to the target with the most calls',
      ({ calls }) => calls.length > 0,
      ({ edge, lonely }) =>
        `none of ${countOf(lonely.length, 'call')} of ${edge.client}: ${edge.server} has requests of unknown callers, or the calls may go to another service`,
    ),
  ],
  looseEnds: ({ lonely }) => lonely,
  report: ({ edge: { client, server }, calls, isToward, isSplit, losesContext }, scene) => {
    const described = describe(client, server, calls);
    if (isSplit) return splitTrace.report({ ...described, candidates: splitByTimeCauses });
    const queued = mayBeQueued(scene, calls, server) ? describeQueued(scene, calls, server) : {};
    const doubt = doubtLinkedElsewhere(listLinkedElsewhere(scene, calls, server));
    return finding.report({
      ...described,
      ...queued,
      ...(doubt === null ? {} : { doubt }),
      candidates: rankCauses(scene, server, { isToward, losesContext }).filter(
        (cause) => doubt === null || cause !== 'server-not-instrumented',
      ),
    });
  },
});

/** The consumer may process a few messages only after the capture. */
function describeQueued(
  { thresholds, coverage }: Scene,
  { length }: readonly Span[],
  server: string,
): Partial<Pick<Draft, 'severity' | 'facts' | 'doubt'>> {
  const [messages, were, them] =
    length === 1 ? ['the message', 'was', 'it'] : ['the messages', 'were', 'them'];
  const isHere = coverage(server) !== null;
  const facts = [
    isHere
      ? `no span of ${server} is from after ${messages} ${were} sent: it may not have consumed ${them} yet`
      : `no span of ${server} is here`,
  ];
  if (length >= thresholds.fewestLostMessages) return { facts };
  if (!isHere) return { severity: 'warning', facts };
  const doubt = {
    says: `The capture may end before ${server} consumes ${messages}.`,
    decide: [
      `Wait until ${server} has consumed ${messages} and check again, or check again with ${thresholds.fewestLostMessages} messages or more`,
    ],
  };
  return { facts, doubt };
}

/** Whether the calls are messages, and the service delivered no span since they were sent. */
function mayBeQueued(scene: Scene, calls: readonly Span[], server: string): boolean {
  const latest = scene.coverage(server)?.to ?? 0n;
  return calls.every(({ kind, startTimeUnixNano }) => kind === 'PRODUCER' && latest < startTimeUnixNano);
}

/** Whether the service has roots for such requests: sampled separately, at times that do not fit, or without a span kind. */
function isSplit(scene: Scene, open: Open, calls: readonly Span[], server: string): boolean {
  if (scene.services.hasEntries(server))
    return limitComparisons(calls, open.roots.of(server)).some((root) =>
      calls.some((call) => compareRequests(call, root) === 'yes'),
    );
  const roots = scene
    .selectSpans(server, (row) => scene.graph.isRoot(row))
    .filter((span) => span.kind === 'INTERNAL');
  const { thresholds } = scene;
  const pairs = pairContained(calls, roots, thresholds);
  return pairs.length >= Math.max(calls.length, roots.length) * thresholds.splitByTimeShare;
}

/**
 * The calls that may belong to the edge: addressed by the service name, to its port, or to the target with the most calls. The last does
 * not count if the service has enough requests of unknown callers: those requests are the other side of the calls.
 */
function selectCallsTo(
  scene: Scene,
  open: Open,
  lonely: readonly Span[],
  server: string,
): Pick<WhollyMissing, 'calls' | 'isToward'> {
  const isMisspelt = suggestService(scene, server) !== null;
  const taken = remember(() => listTargets(scene));
  // An address that leads whole calls to another service belongs to that service, whatever its name.
  const isOfAnother = (span: Span): boolean => isMisspelt && taken().has(nameTarget(span));
  const named = lonely.filter(
    (span) => namesPeer(span, server) || (isSentToHostOf(span, server) && !isOfAnother(span)),
  );
  if (named.length > 0) return { calls: named, isToward: true };
  const entries = limitComparisons(
    lonely,
    scene.entriesOf(server).filter(({ kind }) => kind === 'SERVER'),
  );
  const known = lonely.filter((span) => entries.some((entry) => compareRequests(span, entry) === 'yes'));
  if (known.length > 0) return { calls: known, isToward: true };
  // A public host may be a third party. If the service has no spans, its name in the expectation may be wrong.
  const mayBeCalled = (span: Span): boolean => {
    if (asksBroker(span)) return false;
    if (scene.services.has(server)) return true;
    const host = readAddress(span).host ?? '';
    if (isMisspelt) return false;
    if (span.kind === 'PRODUCER') return true;
    return !isPublicName(host) && (areOfOneStem(server, host) || !isSlipOfOther(server, [host]));
  };
  const groups = groupBy(
    lonely.filter((span) => !taken().has(nameTarget(span)) && mayBeCalled(span)),
    nameTarget,
  );
  const most = [...groups].sort((left, right) => right.length - left.length)[0] ?? [];
  const requests = open.roots.of(server).filter((span) => !isHealthProbe(span));
  const calls = requests.length < most.length * scene.thresholds.strayRequestsShare ? most : [];
  return { calls, isToward: calls[0]?.kind === 'PRODUCER' };
}

/**
 * Calls that name the service, and have no attribute of a protocol: of an RPC framework of the company's own, or made by hand. If the
 * service began traces, `missing-call.ts` compares those with the calls.
 */
function listNamingPeer(
  { shared }: Scene,
  { roots }: Open,
  { client, server }: ExpectedEdge,
): readonly Span[] {
  if (roots.of(server).some((root) => !isHealthProbe(root))) return [];
  const calls = [...shared.callsOfUnknownProtocol().values()].flat();
  return calls.filter(
    (span) => span.serviceName === client && namesPeer(span, server) && readOutcome(span) !== 'unreached',
  );
}

function namesPeer(span: Span, server: string): boolean {
  return readPeerService(span)?.toLowerCase() === server.toLowerCase();
}

function isSentToHostOf(span: Span, server: string): boolean {
  const host = readCallFacts(span).host?.toLowerCase() ?? '';
  return host === server.toLowerCase() || host.startsWith(`${server.toLowerCase()}.`);
}

/** The targets of all whole calls. */
function listTargets({ groups, facts }: Scene): ReadonlySet<string> {
  const targets = new Set<string>();
  const target = facts.remember(nameTarget);
  for (const { clients } of groups) for (const row of clients) targets.add(target(row));
  return targets;
}

function losesContext(scene: Scene, { roots, orphans }: Open, server: string): boolean {
  if (scene.services.has(server)) return false;
  const called = scene.expectation.edges.filter((edge) => edge.client === server && edge.rule === 'must');
  return called.some(
    (edge) =>
      roots.of(edge.server).some((root) => !isHealthProbe(root)) &&
      !orphans.some((span) => span.serviceName === edge.server),
  );
}

/** If the calls only may belong to the edge, the real calls may have no CLIENT span. */
function rankCauses(
  scene: Scene,
  server: string,
  { isToward, losesContext }: Pick<WhollyMissing, 'isToward' | 'losesContext'>,
): readonly FindingId[] {
  const causes: readonly FindingId[] = !scene.services.has(server)
    ? losesContext
      ? ['server-not-instrumented', 'server-span-lost', 'not-sampled']
      : ['server-span-lost', 'server-not-instrumented', 'not-sampled']
    : scene.services.hasEntries(server)
      ? ['not-sampled', 'server-not-instrumented', 'server-span-lost']
      : ['server-not-instrumented', 'not-sampled', 'server-span-lost'];
  return isToward ? causes : [...causes, 'client-not-instrumented'];
}
