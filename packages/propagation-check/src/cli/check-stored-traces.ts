import { collectTraces, type Waiting } from '../collect/collect-traces.ts';
import { describeStore } from '../collect/describe-store.ts';
import { explainNothingToJudge } from '../collect/explain-nothing-to-judge.ts';
import { hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { withDoubt } from '../collect/judge.ts';
import { judgeWithDetached } from '../collect/judge-trace.ts';
import { pauseFor } from '../collect/pause-for.ts';
import { describeCuts } from '../source/describe-cuts.ts';
import { pathOfFileSpec } from '../source/parse-source-spec.ts';
import { searchPages } from '../source/search-pages.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import { listServiceNames } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import { listNames } from '../util/list-names.ts';
import type { Result } from '../verdict/result.ts';
import { type ReadInputs, readAnew, readCheckInputs, readCollector } from './check-inputs.ts';
import type { SourceArguments } from './common-options.ts';
import { describeWaiting } from './describe-waiting.ts';
import { explainNoSpan } from './explain-no-span.ts';
import { openNamedSource } from './open-named-source.ts';
import { printReport } from './print-report.ts';
import type { Session } from './session.ts';
import { createProgress } from './show-progress.ts';
import { listKnownServices, suggestServices } from './suggest-services.ts';
import { UsageError } from './usage-error.ts';

const receiverPauseMs = 100;
const usualSinceMs = 3_600_000;

const ever = { startTimeMin: 0, startTimeMax: Number.MAX_SAFE_INTEGER };

export interface TraceArguments extends SourceArguments {
  readonly service?: string;
  /** Milliseconds. Without it a file is searched from its beginning, and other sources for the usual time. */
  readonly since?: number;
  readonly limit: number;
}

/** Reads traces from a source, judges and prints. @returns the exit code. */
export async function checkStoredTraces(
  traceIds: readonly string[],
  args: TraceArguments,
  { output, signal, writeError }: Session,
): Promise<number> {
  if (traceIds.length > 0 === (args.service !== undefined)) {
    throw new UsageError('name the traces: either TRACE_ID…, or --service NAME to search for them');
  }
  const inputs = await readCheckInputs(args);
  const source = await openNamedSource(args, { writeError });
  const progress = createProgress();
  try {
    const onWait = (waiting: Waiting) => progress.show(() => describeWaiting(source.name, waiting));
    const cuts: number[] = [];
    const pages = readPages(source, traceIds, args, signal, (from) => void cuts.push(from));
    const { store, found, detached, missing } = await readTraces(pages, source, inputs, args, onWait, signal);
    progress.clear();
    const names = listServiceNames(store);
    const collector = await readCollector(args, signal);
    const isDoubtful = missing.length > 0;
    const judged = judgeWithDetached(store, detached, await readAnew(inputs), collector);
    const result = withDoubt(judged, isDoubtful);
    const gap = isDoubtful ? `${source.name} has no span of ${missing.join(', ')}` : null;
    const nothing = () => explainNothingToJudge(judged, names, inputs.expectation);
    const reason =
      store.size === 0
        ? await explainEmpty(source, traceIds, args, signal)
        : explainUnknown(result, judged, gap, nothing);
    const notes = [
      ...(gap !== null && reason === null ? [gap] : []),
      ...describeStore(store),
      ...(await inputs.wireFiles.describeGaps(store)),
      ...hintAtExpectations(result, names, inputs.expectation),
      ...describeCuts(source.name, cuts),
      ...(source.complaints ?? []),
    ];
    const { service, limit } = args;
    const extent =
      service === undefined ? {} : { search: { service, limit, limitReached: found.size >= limit } };
    const details = { source: source.name, reason, notes, collector, ...extent };
    return await printReport({ result, details, readStore: () => store, inputs, isDoubtful }, args, output);
  } finally {
    progress.clear();
    await source.close();
  }
}

/** Reads the traces of all pages into columns, so that only one page is in memory as span objects. */
async function readTraces(
  pages: AsyncIterable<Page>,
  source: Source,
  inputs: ReadInputs,
  { source: spec, wait, settle }: TraceArguments,
  onWait: (waiting: Waiting) => void,
  signal: AbortSignal,
) {
  const deadline = Date.now() + wait;
  const writer = new SpanWriter();
  const found = new Set<string>();
  const added = new Set<string>();
  const detached = new Set<string>();
  const missing: string[] = [];
  for await (const page of pages) {
    const collected = await collectTraces({
      ...{ source, ...page, services: [], signal, settleMs: settle, onWait },
      readInputs: () => readAnew(inputs),
      // A file does not grow, so there is nothing to wait for.
      waitMs: pathOfFileSpec(spec) !== null ? 0 : Math.max(0, deadline - Date.now()),
    });
    for (const id of page.traceIds) found.add(id);
    for (const id of collected.missing) missing.push(id);
    for (const id of collected.detached) detached.add(id);
    for (const [id, spans] of groupByTrace(collected.spans)) {
      if (!added.has(id)) for (const span of spans) writer.addSpan(span);
      added.add(id);
    }
  }
  // Another page may have found the trace.
  for (const id of found) detached.delete(id);
  return { store: writer.finish(), found, detached, missing };
}

/** @returns null when there is a verdict. */
function explainUnknown(
  result: Result,
  judged: Result,
  gap: string | null,
  nothing: () => string,
): string | null {
  if (result.verdict !== 'unknown') return null;
  if (judged.verdict !== 'unknown') return `${gap}; the other traces are intact`;
  return [...(gap === null ? [] : [gap]), nothing()].join('; ');
}

interface Page {
  readonly traceIds: readonly string[];
  /** The spans that a search has read already. Missing if the traces were named by their ids. */
  readonly spans?: readonly Span[];
}

async function* readPages(
  source: Source,
  traceIds: readonly string[],
  args: TraceArguments,
  signal: AbortSignal,
  onCut: (from: number) => void,
): AsyncGenerator<Page> {
  if (args.service === undefined) {
    yield { traceIds };
    return;
  }
  for await (const spans of search(source, args.service, args, signal, onCut))
    yield { traceIds: [...new Set(spans.map((span) => span.traceId))], spans };
}

async function* search(
  source: Source,
  service: string,
  { since, limit, wait, settle, source: spec }: TraceArguments,
  signal: AbortSignal,
  onCut: (from: number) => void,
): AsyncGenerator<readonly Span[]> {
  if (since === undefined && pathOfFileSpec(spec) !== null) {
    yield await source.searchTraces({ ...ever, service, limit }, signal);
    return;
  }
  const start = Date.now();
  const startTimeMin = start - (since ?? usualSinceMs);
  const ask = () => ({ service, startTimeMin, startTimeMax: Date.now(), limit });
  if (spec.startsWith('otlp')) {
    // A receiver that has just opened is empty: wait for the first span, and then for those that follow it.
    const isEmpty = async () => (await source.searchTraces(ask(), signal)).length === 0;
    while (Date.now() - start < wait && (await isEmpty())) await pauseFor(receiverPauseMs, signal);
    await pauseFor(settle, signal);
  }
  yield* searchPages(source, ask(), signal, onCut);
}

/** Says which services the file has. `spans` are all spans of the file, also those older than the time that was searched. */
function explainEmptyFile(source: Source, spans: readonly Span[], service: string): string {
  const known = [...new Set(spans.map(({ serviceName }) => serviceName))].filter((name) => name !== null);
  const shown = JSON.stringify(service);
  if (known.includes(service))
    return `the traces of service ${shown} in ${source.name} are older than the time that was searched; search further back with --since`;
  const held = known.length === 0 ? 'no named service' : listNames(known);
  const misspelt = suggestServices([service], known);
  return [`${source.name} has no span of service ${shown}, only of ${held}`, ...misspelt].join('; ');
}

async function explainEmpty(
  source: Source,
  traceIds: readonly string[],
  args: TraceArguments,
  signal: AbortSignal,
): Promise<string> {
  if (pathOfFileSpec(args.source) !== null) {
    const spans = await source.searchTraces({ ...ever, service: null, limit: Infinity }, signal);
    if (spans.length === 0)
      return explainNoSpan(source.name, (await source.listOtherSignals?.(signal)) ?? []);
    if (args.service !== undefined) return explainEmptyFile(source, spans, args.service);
  }
  if (args.service !== undefined && source.url !== undefined)
    return (
      `no span of service ${JSON.stringify(args.service)} arrived in ${source.name}; check its spelling (service.name), ` +
      `give it time with --wait, and set in the service OTEL_EXPORTER_OTLP_ENDPOINT=${source.url}, which takes gRPC and HTTP`
    );
  if (args.service !== undefined) {
    const misspelt = suggestServices([args.service], await listKnownServices(source, signal));
    return (
      `${source.name} has no trace of service ${JSON.stringify(args.service)} in the time that was searched; ` +
      misspelt.map((suggestion) => `${suggestion} Otherwise `).join('') +
      'check its spelling (service.name), or search further back with --since'
    );
  }
  const what =
    traceIds.length === 1 ? `no span of trace ${traceIds[0]}` : `no span of these ${traceIds.length} traces`;
  return `${source.name} has ${what}; check the id, whether the trace was sampled, and whether its services export to this source`;
}
