import { isHealthProbe, readCallFacts } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';
import { durationOf, startsDuringAny } from '../pairing/pair.ts';
import type { Draft, LooseEnds, Scene } from '../rules/check.ts';
import { isMessage } from '../rules/split-message.ts';
import { isToleratedEdge } from '../rules/tolerated-peer.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { describePossible, type UnjudgedCalls } from './list-unjudged.ts';
import { ownServiceName } from './own-service.ts';

/** What a service may have called during. */
interface Caller {
  readonly client: string;
  readonly isDuring: (row: number) => boolean;
  /** How long its traces were open: of two that enclose the same, the inner one is the caller. */
  readonly open: bigint;
  /** Programs that send requests to it: one of them may have sent others itself. */
  readonly agents: ReadonlySet<string | null>;
}

/** Whether a trace may have begun by a call of the caller. */
type Fits = (root: Span) => boolean;

interface Measured extends Caller {
  readonly server: string;
  readonly fits: Fits;
  readonly share: number;
}

interface Likely extends Measured {
  readonly spans: readonly Span[];
}

/**
 * For each service that began traces, the one that may have called it: it was at work when most of them began, or sent requests of their methods and
 * paths that nobody continued, or is the only one that can have sent the messages. Advice on what to expect where nothing is judged: it accuses nobody.
 */
export function listLikelyCalls(
  scene: Scene,
  looseEnds: LooseEnds,
  drafts: readonly Draft[],
): readonly UnjudgedCalls[] {
  const begun = indexBegun(scene);
  const callers = listCallers(scene);
  const likely: readonly Likely[] = [...begun].flatMap(([server, roots]) =>
    findLikely(scene, looseEnds, callers, server, roots),
  );
  // Requests that follow at once touch each other, and two services that are always busy enclose traces of each other.
  const isBackwards = ({ client, server, share, open }: Likely): boolean =>
    drafts.some((draft) => draft.client === server && draft.server === client) ||
    likely.some(
      (other) =>
        other.client === server &&
        other.server === client &&
        (other.share > share || (other.share === share && other.open >= open)),
    );
  return likely
    .filter((one) => !isBackwards(one) && !isToleratedEdge(scene.expectation, one, false))
    .map(({ client, server, spans }) => describePossible(scene, { client, server }, spans));
}

/** The spans that began traces of each service: requests and messages, or others where it has none of these. */
function indexBegun(scene: Scene): ReadonlyMap<string, readonly Span[]> {
  const { graph, facts } = scene;
  const isConnecting = (span: Span): boolean =>
    span.kind === 'CLIENT' && facts.protocolOf(graph.rowOf(span)) === 'unknown';
  const begun = new Map<string, readonly Span[]>();
  for (const service of listServices(scene)) {
    const roots = scene
      .selectSpans(service, (row) => graph.isRoot(row) && !graph.mayBeLinked(row))
      .filter((root) => !isHealthProbe(root) && !isConnecting(root));
    const entries = roots.filter(isEntry);
    if (roots.length > 0) begun.set(service, entries.length > 0 ? entries : roots);
  }
  return begun;
}

function listServices({ services }: Scene): readonly string[] {
  return services.names().flatMap((service) => (service === ownServiceName ? [] : (service ?? [])));
}

function listCallers(scene: Scene): readonly Caller[] {
  const { graph, facts, thresholds } = scene;
  const tolerances = { ...thresholds, clockTolerance: thresholds.rounding };
  return listServices(scene).map((client) => {
    const tops = scene.selectSpans(client, (row) => graph.topInService(row) === row);
    return {
      client,
      isDuring: startsDuringAny(graph, tops, tolerances),
      open: tops.reduce((sum, span) => sum + durationOf(span), 0n),
      agents: new Set(tops.map((span) => facts.userAgentOf(graph.rowOf(span)))),
    };
  });
}

function findLikely(
  scene: Scene,
  looseEnds: LooseEnds,
  callers: readonly Caller[],
  server: string,
  roots: readonly Span[],
): readonly Likely[] {
  const { missingCallShare, mostRootsCompared } = scene.thresholds;
  const first = roots.slice(0, mostRootsCompared);
  const others = callers.filter(({ client }) => client !== server);
  const measure = (caller: Caller, fits: Fits): readonly Measured[] => {
    const share = first.filter(fits).length / first.length;
    return share >= missingCallShare ? [{ ...{ server, fits, share }, ...caller }] : [];
  };
  const during = others
    .flatMap((caller) => measure(caller, fitDuring(scene, caller)))
    .sort((one, other) => other.share - one.share || Number(one.open - other.open));
  const alike = others.flatMap((caller) => measure(caller, fitAlike(looseEnds, caller)));
  const [sole, ...more] = others;
  const sent = sole !== undefined && more.length === 0 ? measure(sole, isMessage) : [];
  // A message is received at any time.
  const [found] = [...sent, ...during, ...alike];
  return found === undefined ? [] : [{ ...found, spans: roots.filter(found.fits) }];
}

/** It was at work, and no program sends requests to both. */
function fitDuring({ graph, facts }: Scene, { isDuring, agents }: Caller): Fits {
  return (root) => {
    const row = graph.rowOf(root);
    const agent = facts.userAgentOf(row);
    return isDuring(row) && (agent === null || !agents.has(agent));
  };
}

/** It sent a request of the method and path that nobody continued: clocks may be apart. */
function fitAlike({ clients }: LooseEnds, { client }: Caller): Fits {
  const called = new Set(clients.filter(({ serviceName }) => serviceName === client).map(nameRequest));
  called.delete(null);
  return (root) => called.has(nameRequest(root));
}

function nameRequest(span: Span): string | null {
  const { method, path, rpcMethod } = readCallFacts(span);
  return path === null && rpcMethod === null ? null : keyFor(method, path, rpcMethod);
}
