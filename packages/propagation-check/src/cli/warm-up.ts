import { setImmediate } from 'node:timers/promises';
import { findAwaited } from '../collect/find-awaited.ts';
import { type CheckInputs, judge } from '../collect/judge.ts';
import type { Source } from '../source/source.ts';
import { encodeOtlpLines } from '../span/encode-otlp-lines.ts';
import type { Span } from '../span/span.ts';
import { SpanWriter, storeOf } from '../span/span-writer.ts';
import type { CheckArguments } from './common-options.ts';
import type { Output } from './open-output.ts';
import { printReport } from './print-report.ts';

export interface WarmUpOptions {
  readonly source: Source;
  readonly inputs: CheckInputs;
  readonly args: CheckArguments;
  readonly output: Output;
}

/**
 * Reads, judges and reports made-up spans while nothing has arrived: the first verdict of a process takes several times as long as the
 * next, because its code is loaded and compiled.
 * @param request Of this tool.
 */
export async function warmUp(request: Span, { source, inputs, args, output }: WarmUpOptions): Promise<void> {
  const called: Span = {
    ...request,
    ...{ spanId: '1'.repeat(16), parentSpanId: request.spanId, kind: 'SERVER', serviceName: 'called' },
  };
  const open: Span = { ...called, spanId: '2'.repeat(16), parentSpanId: called.spanId, kind: 'CLIENT' };
  for (const spans of [
    [request, called],
    [request, called, open],
  ]) {
    // Lets in what may arrive.
    await setImmediate();
    if (hasArrived(source)) return;
    if (source.isReceiver === true) await readSpans(spans);
    const store = storeOf(spans);
    const judgement = judge(store, inputs);
    findAwaited(judgement, inputs);
    const details = { source: source.name, reason: null, notes: [], collector: null };
    const judged = { result: judgement.result, details, readStore: () => store, inputs };
    const quiet = { ...args, report: [], updateBaseline: false };
    await printReport(judged, quiet, { ...output, print: async () => {} });
  }
}

function hasArrived({ revision = 0 }: Source): boolean {
  return revision > 0;
}

async function readSpans(spans: readonly Span[]): Promise<void> {
  const { ExportReader } = await import('../source/export-reader.ts');
  const { encodeOtlpProtobuf } = await import('../decode/encode-otlp-protobuf.ts');
  const reader = new ExportReader(new SpanWriter());
  const [line = ''] = encodeOtlpLines(spans).split('\n');
  reader.read({ signal: 'traces', type: 'application/json', body: Buffer.from(line) });
  reader.read({ signal: 'traces', type: 'application/x-protobuf', body: encodeOtlpProtobuf(spans) });
}
