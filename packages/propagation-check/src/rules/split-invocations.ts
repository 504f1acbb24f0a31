import type { EdgeProtocol } from '../calls/call-group.ts';
import {
  isOfTemporal,
  mayBeInvoked,
  mayBeOnePlace,
  readInvokedFunction,
  readInvokedPlace,
  readOwnPlace,
  readTemporal,
} from '../calls/invocations.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { pairContained } from '../pairing/contained.ts';
import type { PairSides } from '../pairing/pair-spans.ts';
import { byStart, type Span } from '../span/span.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { edgeOf, protocolOf } from './draft.ts';
import type { FindingId } from './finding.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { areInOrder } from './split-message.ts';
import { finding as splitTrace } from './split-trace.ts';

/**
 * Invocations of functions, and workflows of Temporal, whose two sides name the same function or workflow and are not joined. The context
 * travels in a payload, not in headers of HTTP.
 */
export const splitInvocations = rule<Group<PairSides>>({
  finding: splitTrace,
  measure: (scene, open) =>
    groupBy([...pairFunctions(scene, open), ...pairWorkflows(scene)], ({ client, server }) =>
      keyFor(client.serviceName, server.serviceName),
    ),
  gates: [
    gate(
      'each began after its invocation',
      (pairs) => pairs.every(({ client, server }) => client.startTimeUnixNano <= server.startTimeUnixNano),
      (pairs) => `not all of ${pairs.length}`,
    ),
  ],
  looseEnds: (pairs) => pairs.flatMap(({ client, server }) => [client, server]),
  report: (pairs, scene) =>
    splitTrace.report({
      ...edgeOf(pairs[0]),
      protocol: findProtocol(scene, pairs[0]),
      candidates: invocationCauses,
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `"${server.name}" ${server.spanId} is a root of trace ${server.traceId}, and "${client.name}" ${client.spanId}, which names the same ${isOfTemporal(client) ? 'workflow' : 'function'}, has no child`,
      })),
    }),
});

function findProtocol({ groupsBetween }: Scene, { client, server }: PairSides): EdgeProtocol {
  const [whole] = groupsBetween(client.serviceName, server.serviceName);
  return whole?.protocol ?? protocolOf(client);
}

const invocationCauses: readonly FindingId[] = ['header-not-sent', 'header-ignored', 'format-mismatch'];

/** Invocations of functions and requests of these functions that began traces. */
function pairFunctions(scene: Scene, open: Open): readonly PairSides[] {
  if (!scene.facts.maySome((call) => readInvokedFunction(call) !== null)) return [];
  const invoked = mapBy(open.clients, readInvokedFunction);
  invoked.delete(null);
  const { resources, resourceTable } = scene.graph.store;
  const nameOf = (row: number): string | null => {
    const resource = resourceTable[resources[row] ?? 0];
    const name = resource?.attributes.get('faas.name');
    return typeof name === 'string' ? name : scene.graph.serviceOf(row);
  };
  const began = open.roots.select((row) => invoked.has(nameOf(row)) && mayBeInvoked(scene.facts.at(row)));
  return groupBy(began, (span) => keyFor(nameOf(scene.graph.rowOf(span)))).flatMap((named) => {
    const ofName = invoked.get(nameOf(scene.graph.rowOf(named[0]))) ?? [];
    const { sent, received } = selectOfOnePlace(ofName, named);
    return isOfOneService(sent) && isOfOneService(received) ? pairNamed(scene, sent, received) : [];
  });
}

/** The invocations and requests that may be of a function in one place. Compares each place once: either side may have thousands. */
function selectOfOnePlace(
  sent: readonly Span[],
  received: readonly Span[],
): Readonly<Record<'sent' | 'received', readonly Span[]>> {
  const called = groupBy(sent, (span) => keyFor(...Object.values(readInvokedPlace(span))));
  const running = groupBy(received, (span) => keyFor(...Object.values(readOwnPlace(span))));
  return {
    sent: called.filter(([call]) => running.some(([request]) => isOfOnePlace(call, request))).flat(),
    received: running.filter(([request]) => called.some(([call]) => isOfOnePlace(call, request))).flat(),
  };
}

function isOfOnePlace(call: Span, request: Span): boolean {
  return mayBeOnePlace(readInvokedPlace(call), readOwnPlace(request));
}

/** Pairs the invocations of a function with its requests. Other triggers may cause some of these. */
function pairNamed(
  { thresholds }: Scene,
  sent: readonly Span[],
  received: readonly Span[],
): readonly PairSides[] {
  const within = pairContained(sent, received, thresholds, isOfOnePlace).filter(({ unique }) => unique);
  const isOfOthers =
    received.length > sent.length &&
    !isMoreThanChance(
      received,
      within.length,
      (moved) => pairContained(sent, moved, thresholds, isOfOnePlace).length,
      thresholds,
    );
  if (within.length >= sent.length * thresholds.everyRequestShare && !isOfOthers) return within;
  if (sent.length < thresholds.fewestLostMessages) return [];
  const inOrder = pairInOrder(sent, received);
  return inOrder.every(({ client, server }) => isOfOnePlace(client, server)) ? inOrder : [];
}

/** Workflows and activities with one id on both sides. */
function pairWorkflows({ graph, facts }: Scene): readonly PairSides[] {
  if (!facts.maySome((span) => readTemporal(span) !== null)) return [];
  const runs = graph.select((row) => readTemporal(facts.at(row))?.isRun === true);
  const continued = new Set(runs.map((span) => graph.parents[graph.rowOf(span)]));
  const isBegun = (span: Span): boolean => {
    const row = graph.rowOf(span);
    return graph.isRoot(row) && !graph.mayBeLinked(row);
  };
  const whole = new Set(runs.filter((span) => !isBegun(span)).map(nameWork));
  const starts = graph.select((row) => {
    const call = facts.at(row);
    const start = readTemporal(call);
    return (
      start?.isRun === false &&
      !continued.has(row) &&
      call.status.code !== 'ERROR' &&
      !(start.maySignal && whole.has(start.key))
    );
  });
  const startsOf = mapBy(starts, nameWork);
  return groupBy(runs.filter(isBegun), nameWork).flatMap((received) => {
    const sent = startsOf.get(nameWork(received[0])) ?? [];
    return isOfOneService(sent) && isOfOneService(received) ? pairInOrder(sent, received) : [];
  });
}

/** A key for the workflow or activity of a span. */
function nameWork(span: Span): string {
  return readTemporal(span)?.key ?? '';
}

function pairInOrder(sent: readonly Span[], received: readonly Span[]): readonly PairSides[] {
  const [clients, servers] = [sent.toSorted(byStart), received.toSorted(byStart)];
  if (clients.length !== servers.length || !areInOrder(clients, servers)) return [];
  return clients.flatMap((client, at) => {
    const server = servers[at];
    return server === undefined ? [] : [{ client, server }];
  });
}

function isOfOneService(spans: readonly Span[]): boolean {
  return new Set(spans.map(({ serviceName }) => serviceName)).size === 1;
}
