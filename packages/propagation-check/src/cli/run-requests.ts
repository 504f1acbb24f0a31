import { collectTraces, type Waiting } from '../collect/collect-traces.ts';
import type { CheckInputs } from '../collect/judge.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { pathOfFileSpec } from '../source/parse-source-spec.ts';
import { readSettings } from '../source/read-whole-file.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import { type ReadInputs, readAnew, readCheckInputs } from './check-inputs.ts';
import type { SourceArguments } from './common-options.ts';
import { describeWaiting } from './describe-waiting.ts';
import { type DrivenRequest, driveRequests } from './drive-requests.ts';
import { judgeRequests, type RequestTraces } from './judge-requests.ts';
import { openNamedSource } from './open-named-source.ts';
import type { Output } from './open-output.ts';
import type { Entries } from './parse-argument.ts';
import { printReport } from './print-report.ts';
import { renderProgress } from './render-progress.ts';
import type { Session } from './session.ts';
import { createProgress, type Progress } from './show-progress.ts';
import { UsageError } from './usage-error.ts';
import { warmUp } from './warm-up.ts';

export interface RunArguments extends SourceArguments {
  /** URLs of the configuration file. */
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
  if (pathOfFileSpec(args.source) !== null) {
    throw new UsageError(
      '--source file: a file is read once, before the requests are sent, so that it cannot hold their traces; use --source otlp, jaeger=URL or tempo=URL, ' +
        'or check the file alone: propagation-check file PATH',
    );
  }
  const inputs = withBaggage(await readCheckInputs(args), args.baggage ?? {});
  const ca = await readCa(args.ca);
  const source = await openNamedSource(args, { writeError });
  const progress = createProgress();
  try {
    // Reads some trace id, so that a source that does not answer is reported before any request is sent.
    await source.readTrace('1'.repeat(32), signal);
    const driven = await driveUrls(urls, args, { ca, signal, progress });
    const [first] = driven;
    const checking = { source, inputs, args, signal, progress, output };
    if (first !== undefined)
      await warmUp(first.span, source, (memory) => checkRequests([first], rehearse(checking, memory)));
    return await checkRequests(driven, checking);
  } finally {
    progress.clear();
    await source.close();
  }
}

interface Drive {
  readonly ca: string | null;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Sends the requests to one URL after the other. @throws {UsageError} when none is answered. */
async function driveUrls(
  urls: readonly [URL, ...URL[]],
  args: RunArguments,
  { ca, signal, progress }: Drive,
): Promise<readonly DrivenRequest[]> {
  const since = performance.now();
  const driven: DrivenRequest[] = [];
  for (const url of urls) {
    const what = url.origin + url.pathname;
    const onAnswer = (done: number) =>
      progress.show((columns) => {
        const elapsedMs = performance.now() - since;
        return renderProgress({ what, unit: 'requests', done, all: args.requests, elapsedMs }, columns);
      });
    const requests = {
      method: args.method ?? (args.data === undefined ? 'GET' : 'POST'),
      headers: args.requestHeader ?? {},
      body: args.data ?? null,
      baggage: args.baggage ?? {},
      requests: args.requests,
      concurrency: args.concurrency,
      timeoutMs: args.timeout,
    };
    for (const each of await driveRequests({ ...requests, url, ca, signal, onAnswer })) driven.push(each);
  }
  const [first] = driven;
  if (first !== undefined && driven.every((request) => request.failure !== null)) {
    throw new UsageError(`${urls[0].origin}${urls[0].pathname}: ${first.failure}`);
  }
  return driven;
}

interface Checking {
  readonly source: Source;
  readonly inputs: ReadInputs;
  readonly args: RunArguments;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly output: Output;
}

/** The same check without waiting and without any output, for `warmUp`. */
function rehearse(checking: Checking, source: Source): Checking {
  const { collectorMetrics: _, ...args } = checking.args;
  const quiet = { ...args, wait: 0, report: [], updateBaseline: false };
  const output = { ...checking.output, print: async () => {} };
  return { ...checking, source, args: quiet, progress: createProgress(), output };
}

/** Collects the traces of requests, judges and prints. @returns the exit code. */
async function checkRequests(driven: readonly DrivenRequest[], checking: Checking): Promise<number> {
  const { source, inputs, args, signal, progress, output } = checking;
  const traces = await collectRequests(driven, checking);
  progress.clear();
  const judgedSpans = new Set(traces.collected.spans);
  await source.passOn?.(driven.map(({ span }) => span).filter((span) => judgedSpans.has(span)));
  return printReport(await judgeRequests(traces, inputs, args, signal), args, output);
}

/** Collects the traces of the requests. Where services began other traces instead, collects those. */
async function collectRequests(
  driven: readonly DrivenRequest[],
  { source, inputs, args, signal, progress }: Checking,
): Promise<RequestTraces> {
  const services = args.service ?? entryServices(inputs);
  const common = {
    source,
    services,
    withReceived: source.isReceiver === true,
    answeredAt: Date.now(),
    readInputs: () => readAnew(inputs),
    waitMs: args.wait,
    settleMs: args.settle,
    signal,
    onWait: (waiting: Waiting) => progress.show(() => describeWaiting(source.name, waiting)),
  };
  const requests = driven.map((request) => request.span);
  const own = await collectTraces({ ...common, traceIds: requests.map((span) => span.traceId), requests });
  const begun = new Set(own.elsewhere.map((span) => span.traceId));
  if (begun.size === 0) return { source, driven, own, begun, collected: own, services };
  // No services: a service that these traces call is not one at which a request begins a trace.
  const others = { ...common, services: [], traceIds: [...begun], spans: own.elsewhere };
  const found = await collectTraces(others);
  const linked = listLinked(requests, found.spans);
  const collected =
    linked.length === 0 ? found : { ...found, spans: [...linked, ...found.spans], judged: null };
  return { source, driven, own, begun, collected, services };
}

/** The requests that a root span of the new traces links to: such a service began a new trace on purpose, and the link names its caller. */
function listLinked(requests: readonly Span[], begun: readonly Span[]): readonly Span[] {
  const linked = new Set(begun.flatMap(({ links }) => links.map(({ spanId }) => spanId)));
  return requests.filter(({ spanId }) => linked.has(spanId));
}

function withBaggage(inputs: ReadInputs, baggage: Entries): ReadInputs {
  return { ...inputs, expectation: { ...inputs.expectation, sentBaggage: baggage } };
}

/** The services at which expected paths begin: the requests of this tool arrive there. */
function entryServices({ expectation: { edges } }: CheckInputs): readonly string[] {
  const must = edges.filter((edge) => edge.rule === 'must');
  const called = new Set(must.map((edge) => edge.server));
  return [...new Set(must.map((edge) => edge.client).filter((service) => !called.has(service)))];
}

async function readCa(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  return readSettings(path).catch((error: unknown) => {
    throw new UsageError(`--ca ${quotePath(path)}: ${describeFileError(error)}`);
  });
}
