import { ownServiceName } from '../calls/own-service.ts';
import { isProbeCall } from '../calls/probes.ts';
import { bounds } from '../pairing/bounds.ts';
import type { Draft } from '../rules/draft.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { isToleratedEdge } from '../rules/tolerated-peer.ts';
import { kindNumber } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import type { Sides } from './choose-roots.ts';
import { type BusyTimes, indexBusyTimes, listTops } from './index-busy.ts';
import { describePossible, type UnjudgedCalls } from './list-unjudged.ts';

/** Evidence of which service may have caused a trace. */
interface Clue {
  /** The services that may have caused the trace that the row began. */
  callersOf(row: number): Iterable<string>;
  /** Whether `client` is one of them, without a look at other services. */
  fits(client: string, row: number): boolean;
}

/** An edge whose client may have caused most of the first traces of its server. */
interface Measured extends Sides {
  readonly clue: Clue;
  readonly share: number;
  /** How many of the first traces. */
  readonly count: number;
  /** How long the caller was busy. If two services enclose the same traces, the less busy one is nearer to the server. */
  readonly open: number;
}

/**
 * For each service that began traces, the service that may have called it: it was busy when most of the traces began, it sent requests with
 * their methods and paths that nobody continued, or it is the only possible sender of the messages. Advice on what to expect where nothing
 * was judged; it reports no break.
 */
export function listLikelyCalls(
  scene: Scene,
  looseEnds: LooseEnds,
  drafts: readonly Draft[],
): readonly UnjudgedCalls[] {
  const services = listServices(scene);
  if (services.length < 2) return [];
  const busy = indexBusyTimes(scene.graph, services, Number(scene.thresholds.rounding));
  const clues = {
    sent: clueOfMessages(scene, services),
    during: clueOfTimes(scene, busy),
    alike: clueOfRequests(scene, looseEnds),
  };
  const begun = new Map(services.map((server) => [server, listBegun(scene, server)]));
  const likely = services.flatMap((server) =>
    findLikely(scene, clues, busy, server, begun.get(server) ?? []),
  );
  const reported = new Set(drafts.map(({ client, server }) => keyFor(client, server)));
  const found = new Map(likely.map((one) => [keyFor(one.client, one.server), one]));
  // An edge in the other direction may fit as well: consecutive requests touch, and two services that are always busy enclose each other's
  // traces.
  const isReported = ({ client, server }: Sides): boolean => reported.has(keyFor(client, server));
  const isBackwards = ({ client, server, share, open }: Measured): boolean => {
    const other = found.get(keyFor(server, client));
    return (
      isReported({ client: server, server: client }) ||
      (other !== undefined && (other.share > share || (other.share === share && other.open >= open)))
    );
  };
  return likely
    .filter((one) => !isReported(one) && !isBackwards(one) && !isToleratedEdge(scene.expectation, one, false))
    .map(({ client, server, clue }) => {
      const rows = (begun.get(server) ?? []).filter((row) => clue.fits(client, row));
      return describePossible(scene, { client, server }, scene.graph.viewsOf(rows));
    });
}

function listServices({ services }: Scene): readonly string[] {
  return services.names().flatMap((service) => (service === ownServiceName ? [] : (service ?? [])));
}

/** Rows that began traces at a service, by start: requests and messages, or other spans if there are none of these. */
function listBegun({ graph, facts }: Scene, service: string): readonly number[] {
  const isConnecting = (row: number): boolean =>
    graph.store.kinds[row] === kindNumber.client && facts.protocolOf(row) === 'unknown';
  const roots = Array.from(graph.rowsOfService(service)).filter(
    (row) =>
      graph.isRoot(row) && !graph.mayBeLinked(row) && !isConnecting(row) && !isProbeCall(facts.at(row)),
  );
  const entries = roots.filter((row) => graph.isEntry(row));
  return (entries.length > 0 ? entries : roots).sort((left, right) => graph.compare(left, right));
}

function findLikely(
  { thresholds }: Scene,
  { sent, during, alike }: Record<'sent' | 'during' | 'alike', Clue>,
  busy: BusyTimes,
  server: string,
  begun: readonly number[],
): readonly Measured[] {
  const first = begun.slice(0, thresholds.mostRootsCompared);
  const measure = (clue: Clue): readonly Measured[] => {
    const callers = mapBy(
      first.flatMap((row) => [...clue.callersOf(row)].filter((client) => client !== server)),
      (client) => client,
    );
    return (
      [...callers]
        .map(([client, { length: count }]) => ({
          ...{ client, server, clue, count },
          share: count / first.length,
          open: busy.timeOf(client),
        }))
        // A single trace may have begun during that time by chance.
        .filter(({ share, count }) => share >= thresholds.missingCallShare && (clue !== during || count > 1))
        .sort(
          (one, other) =>
            other.share - one.share || one.open - other.open || (one.client < other.client ? -1 : 1),
        )
    );
  };
  // Messages come first: they are received at any time, so times say nothing about them.
  for (const clue of [sent, during, alike]) {
    const [found] = measure(clue);
    if (found !== undefined) return [found];
  }
  return [];
}

/** If there are two services, the other one may have sent the messages. */
function clueOfMessages({ graph, facts }: Scene, services: readonly string[]): Clue {
  const isMessage = (row: number): boolean =>
    graph.store.kinds[row] === kindNumber.consumer || facts.protocolOf(row) === 'messaging';
  const senders = services.length === 2 ? services : [];
  return { callersOf: (row) => (isMessage(row) ? senders : []), fits: (_, row) => isMessage(row) };
}

/** The service was busy when the trace began, and no user agent sends requests to both services. */
function clueOfTimes({ graph, facts }: Scene, busy: BusyTimes): Clue {
  const agentsOf = remember(
    (service: string) => new Set(listTops(graph, service).map((row) => facts.userAgentOf(row))),
  );
  const isOfOthers = (client: string, row: number): boolean => {
    const agent = facts.userAgentOf(row);
    return agent === null || !agentsOf(client).has(agent);
  };
  return {
    callersOf: (row) => busy.duringStartOf(row).filter((client) => isOfOthers(client, row)),
    fits: (client, row) => isOfOthers(client, row) && busy.isDuring(client, row),
  };
}

/** The service sent a request of the same method and path that nobody continued. Clocks need not agree. */
function clueOfRequests({ graph, facts }: Scene, { clients }: LooseEnds): Clue {
  const keyOfOperation = (row: number): string | null => {
    const [path, rpcMethod] = [facts.pathOf(row), facts.rpcMethodOf(row)];
    return path === null && rpcMethod === null ? null : keyFor(facts.methodOf(row), path, rpcMethod);
  };
  const callersOfName = remember(() => {
    const found = new Map<string, Set<string>>();
    for (const client of clients) {
      const name = client.serviceName === null ? null : keyOfOperation(graph.rowOf(client));
      if (name === null || client.serviceName === null) continue;
      const callers = found.get(name) ?? new Set();
      // A request that very many services send does not identify its caller.
      if (callers.size < bounds.fewestPlainComparisons) callers.add(client.serviceName);
      found.set(name, callers);
    }
    return found;
  });
  const callersOf = (row: number): ReadonlySet<string> =>
    callersOfName().get(keyOfOperation(row) ?? '') ?? new Set();
  return { callersOf, fits: (client, row) => callersOf(row).has(client) };
}
