import { isEntry } from '../calls/edge.ts';
import { ownServiceName } from '../calls/own-service.ts';
import type { Collected } from '../collect/collect-traces.ts';
import { describeStore } from '../collect/describe-store.ts';
import { explainNothingToJudge } from '../collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { withDoubt } from '../collect/judge.ts';
import { judgeCollected } from '../collect/judge-trace.ts';
import { leaveUncausedOpen } from '../collect/leave-uncaused-open.ts';
import type { Expectation } from '../expect/expectation.ts';
import { isRoot, TraceGraph } from '../graph/trace-graph.ts';
import { isFreePort } from '../source/parse-source-spec.ts';
import type { Source } from '../source/source.ts';
import type { SpanStore } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { listNames } from '../util/list-names.ts';
import type { Result } from '../verdict/result.ts';
import { type ReadInputs, readAnew, readCollector } from './check-inputs.ts';
import type { CheckArguments } from './common-options.ts';
import { countRequests, describeStatus, failedRequestsDoubt } from './count-requests.ts';
import type { DrivenRequest } from './drive-requests.ts';
import { explainSilence } from './explain-silence.ts';
import type { Judged } from './print-report.ts';
import { suggestServices } from './suggest-services.ts';

export interface RequestTraces {
  readonly source: Source;
  readonly driven: readonly DrivenRequest[];
  /** The traces with the trace ids that were sent. */
  readonly own: Collected;
  /** The ids of traces that services began during the requests instead of continuing those that were sent. */
  readonly begun: ReadonlySet<string>;
  /** The traces to judge: `own`, or those that began instead. */
  readonly collected: Collected;
  /** The services that the requests may have reached. */
  readonly services: readonly string[];
}

interface RequestArguments extends CheckArguments {
  readonly source: string;
  readonly service?: readonly string[];
  readonly allowFailedRequests?: boolean;
}

/** Judges the traces of requests, and explains by the requests why a verdict is open. */
export async function judgeRequests(
  traces: RequestTraces,
  inputs: ReadInputs,
  args: RequestArguments,
  signal: AbortSignal,
): Promise<Judged> {
  const { source, driven, own, begun, collected } = traces;
  const collector = await readCollector(args, signal);
  const requests = countRequests(driven.map(describeFailure));
  const { store, result: ofSpans } = judgeCollected(collected, await readAnew(inputs), collector);
  const judged =
    begun.size === 0 ? ofSpans : leaveOpenBesideBegun(ofSpans, store, traces, inputs.expectation);
  const missing = begun.size === 0 ? countMissing(driven, own) : 0;
  const gap = `nothing arrived in ${source.name} of ${missing} of the ${countOf(driven.length, 'trace')}`;
  const { expectation } = inputs;
  const doubts = [
    ...(missing > 0 ? [`${gap}; the others are intact`] : []),
    ...(requests.failed > 0 && args.allowFailedRequests !== true ? [failedRequestsDoubt] : []),
  ];
  const isDoubtful = doubts.length > 0;
  const result = withDoubt(judged, isDoubtful);
  const isSilent = begun.size === 0 && own.missing.length === driven.length;
  const names = collected.spans.map(({ serviceName }) => serviceName);
  const reason =
    result.verdict !== 'unknown'
      ? null
      : isSilent
        ? await explainSilence({
            ...traces,
            isNamed: args.service !== undefined,
            isPortFree: isFreePort(args.source),
            signal,
          })
        : judged.verdict === 'unknown'
          ? explainNothingToJudge(judged, names, expectation)
          : doubts.join('; ');
  const notes = [
    ...(missing > 0 && reason === null ? [gap] : []),
    ...(begun.size === 0 ? [] : [describeBegun(begun.size)]),
    ...(isSilent ? [] : describeAbsent(args.service ?? [], names)),
    ...describeStore(store),
    ...(await inputs.wireFiles.describeGaps(store)),
    ...(result.unshownBaggage ?? []).map((note) => `not judged: ${note}`),
    ...hintAtExpectations(result, names, expectation),
    ...(isSilent ? [] : (source.complaints ?? [])),
  ];
  const details = { source: source.name, reason, notes, collector, requests };
  return { result, details, readStore: () => store, inputs, isDoubtful };
}

/** No span continues the requests: the services that began traces instead are those that they called. */
function leaveOpenBesideBegun(
  result: Result,
  store: SpanStore,
  { driven, begun, collected: { spans } }: RequestTraces,
  expectation: Expectation,
): Result {
  const reached = new Set(
    spans.flatMap((span) =>
      begun.has(span.traceId) && isEntry(span) && isRoot(span) ? (span.serviceName ?? []) : [],
    ),
  );
  const requests = driven.map(({ span }) => span);
  return leaveUncausedOpen(result, new TraceGraph(store), expectation, { requests, reached });
}

function describeFailure({ status, failure }: DrivenRequest): string | null {
  return failure === null ? describeStatus(status) : `without an answer: ${failure}`;
}

/** Services that the user named and of which there is no span. */
function describeAbsent(services: readonly string[], names: readonly (string | null)[]): readonly string[] {
  const known = [...new Set(names)].filter((name) => name !== null).filter((name) => name !== ownServiceName);
  const absent = services.filter((service) => !known.includes(service));
  if (absent.length === 0) return [];
  const advice = suggestServices(absent, known);
  return [
    `--service ${listNames(absent)}: no span of it is here, only of ${listNames(known)}: ` +
      (advice.length > 0 ? advice.join('; ') : 'check its spelling (service.name)'),
  ];
}

/** Missing traces of requests that were answered. A request that failed may not have reached any service. */
function countMissing(driven: readonly DrivenRequest[], { missing }: Collected): number {
  const ids = new Set(missing);
  return driven.filter(({ span, failure }) => failure === null && ids.has(span.traceId)).length;
}

function describeBegun(traces: number): string {
  return (
    'nothing arrived under the trace ids that were sent: the called service, or a hop before it, begins traces of its own; ' +
    `the ${traces} that began during the requests are checked instead`
  );
}
