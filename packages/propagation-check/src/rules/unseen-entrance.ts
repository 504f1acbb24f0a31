import { readCallFacts } from '../calls/call-facts.ts';
import { viewCalls } from '../calls/call-group.ts';
import { isOutgoing } from '../calls/edge.ts';
import { isRoot } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import type { Group } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import { protocolOf } from './draft.ts';
import { finding as missingCall } from './missing-call.ts';
import { formatMilliseconds, gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** The first service of an expected path, with its calls that begin traces. */
interface UnseenEntrance {
  readonly service: string;
  readonly calls: Group<Span>;
  /** Nothing in the data led to its calls: neither a job nor a message. */
  readonly isBare: boolean;
  /** The time from the end of each call to the next call, in nanoseconds. */
  readonly pauses: readonly number[];
  readonly usualPause: number;
  /** The usual pause divided by the usual duration of a call. */
  readonly rest: number;
}

/**
 * The first service of an expected path has calls, but nothing that led to them: no SERVER span, no job, no message. Its calls begin traces
 * one after the other, as if a client sent the next request on each answer. A service that begins traces itself also has no SERVER span,
 * but its rhythm differs: a timer pauses for longer, and a loop does not pause. Messages and people come at irregular times. Without an
 * expectation nothing is reported.
 */
export const unseenEntrances = rule<UnseenEntrance>({
  finding: missingCall,
  measure: (scene) => listEntrances(scene).flatMap((service) => measureEntrance(scene, service)),
  gates: [
    gate(
      'nothing in the service led to any of its calls',
      ({ isBare }) => isBare,
      ({ service }) => `${service} has links, or other spans that begin or continue traces`,
    ),
    gate(
      'there are several calls, each in a trace of its own',
      ({ calls }, { thresholds }) =>
        calls.length >= thresholds.fewestInRhythm &&
        new Set(calls.map((call) => call.traceId)).size === calls.length,
      ({ calls }) =>
        `${countOf(calls.length, 'call')} in ${countOf(new Set(calls.map((call) => call.traceId)).size, 'trace')}`,
    ),
    gate(
      'they follow each other as if a client sent the next on each answer: no timer, and no loop without pauses',
      ({ usualPause, rest }, { thresholds }) =>
        usualPause <= thresholds.longestPause &&
        rest >= thresholds.shortestRest &&
        rest <= thresholds.longestRest,
      ({ usualPause, rest }) =>
        `usually ${formatMilliseconds(usualPause)} between them, ${rest.toFixed(1)} times a call`,
    ),
    gate(
      'every pause is about the usual one',
      (entrance, scene) => countUnusual(entrance, scene) === 0,
      (entrance, scene) => `${countUnusual(entrance, scene)} of ${entrance.pauses.length} are not`,
    ),
  ],
  looseEnds: ({ calls }) => calls,
  report: ({ service, calls }) =>
    missingCall.report({
      client: null,
      server: service,
      protocol: protocolOf(calls[0]),
      candidates: ['server-not-instrumented', 'client-not-instrumented', 'not-sampled'],
      shown: calls.map((server) => ({
        client: null,
        server,
        says: `CLIENT "${server.name}" begins the trace: ${service} has no SERVER span for the request that led to it, and no service has a call to ${service}`,
      })),
    }),
});

function countUnusual({ pauses, usualPause }: UnseenEntrance, { thresholds }: Scene): number {
  const isUsual = (pause: number): boolean =>
    pause >= usualPause / thresholds.rhythmSpread && pause <= usualPause * thresholds.rhythmSpread;
  return pauses.filter((pause) => !isUsual(pause)).length;
}

function measureEntrance(scene: Scene, service: string): readonly UnseenEntrance[] {
  const spans = scene.spansOf(service);
  const roots = spans.filter(isRoot);
  const [first, ...others] = roots.filter(isOutgoing);
  if (first === undefined) return [];
  const calls = [first, ...others] as const;
  const whole = new Set(viewCalls(scene.graph, scene.groupsFrom(service)).map((call) => call.client));
  const isBare =
    spans.every((span) => !scene.graph.mayBeLinked(scene.graph.rowOf(span))) &&
    roots.every((span) => isOutgoing(span) || isConnecting(span)) &&
    calls.every((span) => span.kind === 'CLIENT' && whole.has(span)) &&
    calls.length === whole.size;
  const pauses = others.map((call, at) =>
    Number(call.startTimeUnixNano - (calls[at]?.endTimeUnixNano ?? 0n)),
  );
  const usualPause = median(pauses);
  const usualCall = median(calls.map((call) => Number(call.endTimeUnixNano - call.startTimeUnixNano)));
  return [{ service, calls, isBare, pauses, usualPause, rest: usualPause / usualCall }];
}

/** Services that must call others, that no expectation names as called, and that have no SERVER or CONSUMER span. */
function listEntrances({ expectation, services }: Scene): readonly string[] {
  const called = new Set(expectation.edges.map((edge) => edge.server));
  const callers = expectation.edges.filter((edge) => edge.rule === 'must').map((edge) => edge.client);
  return [...new Set(callers)].filter((service) => !called.has(service) && !services.hasEntries(service));
}

/** Spans such as `dns.lookup` and `tcp.connect` begin traces in every process. */
function isConnecting(span: Span): boolean {
  return readCallFacts(span).protocol === 'unknown';
}
