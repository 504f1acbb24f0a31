import { readFile } from 'node:fs/promises';
import { type Collected, collectTraces, type Waiting } from '../collect/collect-traces.ts';
import { explainNothingToJudge, hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { type CheckInputs, withDoubt } from '../collect/judge.ts';
import { judgeCollected } from '../collect/judge-trace.ts';
import { listNames } from '../collect/list-names.ts';
import { listReached } from '../collect/list-reached.ts';
import { countOf } from '../report/terminal-edges.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import type { Span } from '../span/span.ts';
import { storeOf } from '../span/span-writer.ts';
import { type ReadInputs, readAnew, readCheckInputs, readCollector } from './check-inputs.ts';
import type { SourceArguments } from './common-options.ts';
import { countRequests, describeStatus, failedRequestsDoubt } from './count-requests.ts';
import { describeWaiting } from './describe-waiting.ts';
import { type DrivenRequest, driveRequests } from './drive-requests.ts';
import { explainSilence } from './explain-silence.ts';
import { findUncaused } from './find-uncaused.ts';
import { openNamedSource } from './open-named-source.ts';
import type { Entries } from './parse-argument.ts';
import { printReport } from './print-report.ts';
import { renderProgress } from './render-progress.ts';
import type { Session } from './session.ts';
import { createProgress } from './show-progress.ts';
import { UsageError } from './usage-error.ts';
import { warmUp } from './warm-up.ts';

export interface RunArguments extends SourceArguments {
  /** Of the configuration file. */
  readonly url?: readonly URL[];
  readonly method?: string;
  readonly requestHeader?: Entries;
  readonly data?: string;
  readonly requests: number;
  readonly concurrency: number;
  readonly baggage?: Entries;
  readonly service?: readonly string[];
  readonly allowFailedRequests?: boolean;
}

/** Sends requests, collects their traces, judges and prints. @returns the exit code. */
export async function runRequests(
  urls: readonly [URL, ...URL[]],
  args: RunArguments,
  { output, signal, writeError }: Session,
): Promise<number> {
  if (args.baggage !== undefined && args.requestHeader?.baggage !== undefined) {
    throw new UsageError('baggage is given twice, by --baggage and by --request-header; use one of them');
  }
  const inputs = withBaggage(await readCheckInputs(args), args.baggage ?? {});
  const ca = await readCa(args.ca);
  const source = await openNamedSource(args, { writeError });
  const progress = createProgress();
  const since = performance.now();
  try {
    // A source that cannot be asked is found out before anything is sent.
    await source.readTrace('1'.repeat(32), signal);
    const driven: DrivenRequest[] = [];
    for (const url of urls) {
      const what = url.origin + url.pathname;
      const common = {
        method: args.method ?? (args.data === undefined ? 'GET' : 'POST'),
        headers: args.requestHeader ?? {},
        body: args.data ?? null,
        baggage: args.baggage ?? {},
        requests: args.requests,
        concurrency: args.concurrency,
        timeoutMs: args.timeout,
      };
      const onAnswer = (done: number) =>
        progress.show((columns) => {
          const elapsedMs = performance.now() - since;
          return renderProgress({ what, unit: 'requests', done, all: args.requests, elapsedMs }, columns);
        });
      driven.push(...(await driveRequests({ ...common, url, ca, signal, onAnswer })));
    }
    const [first] = driven;
    if (first !== undefined && driven.every((request) => request.failure !== null)) {
      throw new UsageError(`${urls[0].origin}${urls[0].pathname}: ${first.failure}`);
    }
    if (first !== undefined) await warmUp(first.span, { source, inputs, args, output });
    const services = args.service ?? entryServices(inputs);
    const readInputs = () => readAnew(inputs);
    const common = {
      source,
      services,
      withReceived: source.isReceiver === true,
      answeredAt: Date.now(),
      readInputs,
      waitMs: args.wait,
      settleMs: args.settle,
      signal,
      onWait: (waiting: Waiting) => progress.show(() => describeWaiting(source.name, waiting)),
    };
    const requests = driven.map((request) => request.span);
    const own = await collectTraces({ ...common, traceIds: requests.map((span) => span.traceId), requests });
    const begun = new Set(own.elsewhere.map((span) => span.traceId));
    const collected =
      begun.size === 0
        ? own
        : // Whoever is called below is none of the services at which requests of ours begin traces.
          await collectTraces({ ...common, services: [], traceIds: [...begun], spans: own.elsewhere });
    progress.clear();
    const judgedSpans = new Set(collected.spans);
    await source.passOn?.(requests.filter((request) => judgedSpans.has(request)));

    const collector = await readCollector(args, signal);
    const missing = begun.size === 0 ? countMissing(driven, own) : 0;
    const counts = countRequests(driven.map(describeFailure));
    const store = storeOf(collected.spans);
    const judged = judgeCollected({ ...collected, store }, await readInputs(), collector);
    const gap = `nothing arrived in ${source.name} of ${missing} of the ${driven.length} traces`;
    const doubts = [
      ...(missing > 0 ? [`${gap}; the others are intact`] : []),
      ...(source.isReceiver === true && inputs.expectation.edges.length === 0
        ? describeUncaused(
            findUncaused(collected.spans, requests, begun),
            listReached(collected.spans, requests),
          )
        : []),
      ...(counts.failed > 0 && args.allowFailedRequests !== true ? [failedRequestsDoubt] : []),
    ];
    const isDoubtful = doubts.length > 0;
    const result = withDoubt(judged, isDoubtful);
    const isSilent = begun.size === 0 && own.missing.length === driven.length;
    const reason =
      result.verdict !== 'unknown'
        ? null
        : isSilent
          ? await explainSilence({ source, driven, services, isNamed: args.service !== undefined, signal })
          : judged.verdict === 'unknown'
            ? explainNothingToJudge(
                judged,
                collected.spans.map(({ serviceName }) => serviceName),
                inputs.expectation,
              )
            : doubts.join('; ');
    const notes = [
      ...(missing > 0 && reason === null ? [gap] : []),
      ...(begun.size === 0 ? [] : [describeBegun(begun.size)]),
      ...(await inputs.wireFiles.describeGaps()),
      ...hintAtExpectations(
        result,
        collected.spans.map(({ serviceName }) => serviceName),
        inputs.expectation,
      ),
      ...(isSilent ? [] : (source.complaints ?? [])),
    ];
    const details = { source: source.name, reason, notes, collector, requests: counts };
    return await printReport({ result, details, readStore: () => store, inputs, isDoubtful }, args, output);
  } finally {
    progress.clear();
    await source.close();
  }
}

function withBaggage(inputs: ReadInputs, baggage: Entries): ReadInputs {
  return { ...inputs, expectation: { ...inputs.expectation, sentBaggage: baggage } };
}

/** Where an expected path begins, the requests of this tool arrive. */
function entryServices({ expectation: { edges } }: CheckInputs): readonly string[] {
  const must = edges.filter((edge) => edge.rule === 'must');
  const called = new Set(must.map((edge) => edge.server));
  return [...new Set(must.map((edge) => edge.client).filter((service) => !called.has(service)))];
}

async function readCa(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--ca ${quotePath(path)}: ${describeFileError(error)}`);
  });
}

function describeFailure({ status, failure }: DrivenRequest): string | null {
  return failure === null ? describeStatus(status) : `without an answer: ${failure}`;
}

function describeUncaused(uncaused: readonly Span[], reached: ReadonlySet<string>): readonly string[] {
  if (uncaused.length === 0) return [];
  const [caller = 'caller', ...others] = reached;
  const path = `${others.length === 0 ? caller : 'caller'} -> ${uncaused[0]?.serviceName ?? 'called'}`;
  const services = [...new Set(uncaused.map((span) => span.serviceName ?? 'a service without a name'))];
  return [
    `${countOf(uncaused.length, 'trace')} began at ${listNames(services)} during the requests, and nothing says who called: ` +
      `a service whose client library (HTTP, gRPC, messaging) is not instrumented, or others; name the edge with --expect ${JSON.stringify(path)}`,
  ];
}

/** A request that failed may not have reached anybody. */
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
