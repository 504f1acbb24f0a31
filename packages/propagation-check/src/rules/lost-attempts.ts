import { readCallFacts } from '../calls/call-facts.ts';
import { type Call, selectCalls } from '../calls/call-group.ts';
import { keyOfMethodAndPath } from '../calls/endpoint.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { compareRequests, isAddressedTo, isSuccess } from '../pairing/compare-requests.ts';
import { groupPairs, type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import { edgeOf } from './draft.ts';
import type { FindingId } from './finding.ts';
import { finding } from './missing-call.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';

/** Whole calls of an edge that were not answered by their child, paired with the requests that began traces and gave these answers. */
interface LostAttempts {
  readonly pairs: Group<Pair>;
  /** The number of calls of the edge that ended with another status than their child. */
  readonly failed: number;
  /** The number of requests of the same endpoints that began traces. */
  readonly roots: number;
  /** Whether the pairs of all callers of the service are more than would fit by chance. */
  readonly areMoreThanChance: () => boolean;
}

const causes: readonly FindingId[] = [
  'header-not-sent',
  'header-stripped',
  'header-ignored',
  'format-mismatch',
];

/**
 * A CLIENT span covers several attempts, of which only the first arrived with its context: the span ended with another status than its
 * child, and a request of the called service that began a trace after that child gave the answer. A gateway that answers by itself also
 * changes the status, but then requests of others fall into these calls only by chance.
 */
export const lostAttempts = rule<LostAttempts>({
  finding,
  measure: (scene, open) => {
    const failed = listFailedFirst(scene, open);
    const { thresholds } = scene;
    const failedOf = mapBy(failed, ({ server }) => server.serviceName);
    return [...failedOf].flatMap(([service, calls]) => {
      const roots = open.roots.of(service).filter((root) => root.kind === 'SERVER' && !isHealthProbe(root));
      const childOf = new Map(calls.map(({ client, server }) => [client, server]));
      const pair = (moved: readonly Span[]): readonly Pair[] =>
        pairSpans(
          [...childOf.keys()],
          moved,
          (client, root) =>
            readCallFacts(root).statusCode === readCallFacts(client).statusCode &&
            isNextAttempt(scene, client, childOf.get(client), root),
          thresholds,
        );
      const found = pair(roots);
      const areMoreThanChance = remember(() =>
        isMoreThanChance(roots, found.length, (moved) => pair(moved).length, thresholds),
      );
      const callsOf = mapBy(calls, ({ client }) => client.serviceName);
      const rootsOf = mapBy(roots, keyOfMethodAndPath);
      return groupPairs(found).map((pairs) => {
        const endpoints = new Set(pairs.map(({ server }) => keyOfMethodAndPath(server)));
        return {
          pairs,
          failed: callsOf.get(pairs[0].client.serviceName)?.length ?? 0,
          roots: sumOf(Array.from(endpoints, (endpoint) => rootsOf.get(endpoint)?.length ?? 0)),
          areMoreThanChance,
        };
      });
    });
  },
  gates: [
    gate(
      'nearly every call that ended with another status than its child has such a request',
      ({ pairs, failed }, { thresholds }) => pairs.length >= failed * thresholds.everyCallShare,
      ({ pairs, failed }) => `${pairs.length} of ${failed}`,
    ),
    gate(
      'no other request of the endpoint began a trace, or fewer would fit by chance',
      ({ pairs, roots, areMoreThanChance }, { thresholds }) =>
        (pairs.length === roots && pairs.every(({ unique }) => unique)) ||
        (pairs.length >= thresholds.fewestDisplaced && areMoreThanChance()),
      ({ pairs, roots }) => `${pairs.length} of ${countOf(roots, 'root')}`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ server }) => server),
  report: ({ pairs }) =>
    finding.report({
      ...edgeOf(pairs[0]),
      candidates: causes,
      facts: [
        `${pairs.length === 1 ? 'the call is a second attempt' : `all ${pairs.length} calls are second attempts`} within a CLIENT span whose first attempt arrived: what repeats the request does not send its header`,
      ],
      shown: pairs.map(({ client, server }) => ({
        client,
        server,
        says: `CLIENT ${client.spanId} ended with status ${readCallFacts(client).statusCode} and its child with another; SERVER ${server.spanId} of trace ${server.traceId} gave that status after the child`,
      })),
    }),
});

/** Whole calls whose only child did not succeed and that ended with another status, while a request of the called service began a trace. */
function listFailedFirst(scene: Scene, { roots }: Open): readonly Call[] {
  const { graph, facts, groups, shared } = scene;
  const meant = groups.filter(
    ({ client, server, protocol }) => client !== server && protocol === 'http' && roots.count(server) > 0,
  );
  const isOther = (client: number, server: number): boolean => {
    const ended = facts.statusCodeOf(client);
    const answered = facts.statusCodeOf(server);
    return ended !== null && answered !== null && ended !== answered && !isSuccess(answered);
  };
  const calls = selectCalls(graph, meant, isOther);
  if (calls.length === 0) return [];
  const repeated = shared.repeatedClients();
  return calls.filter(({ client }) => !repeated.has(graph.rowOf(client)));
}

/** Whether a request came within a call after its child, to the same service, and may be the same request. */
export function isNextAttempt(
  { thresholds }: Scene,
  client: Span,
  first: Span | undefined,
  root: Span,
): boolean {
  return (
    first !== undefined &&
    first.serviceName === root.serviceName &&
    root.startTimeUnixNano >= first.endTimeUnixNano &&
    endsWithin(root, client, thresholds) &&
    compareRequests(client, root) === 'yes' &&
    isAddressedTo(client, root) &&
    isOfOneProgram(first, root)
  );
}

function isOfOneProgram(one: Span, other: Span): boolean {
  const [first, second] = [readCallFacts(one).userAgent, readCallFacts(other).userAgent];
  return first === null || second === null || first === second;
}
