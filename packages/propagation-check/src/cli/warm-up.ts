import { once } from 'node:events';
import { request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { collectTraces } from '../collect/collect-traces.ts';
import type { CheckInputs } from '../collect/judge.ts';
import { judgeCollected } from '../collect/judge-trace.ts';
import type { Source } from '../source/source.ts';
import { encodeOtlpLines } from '../span/encode-otlp-lines.ts';
import type { Span } from '../span/span.ts';
import { storeOf } from '../span/span-writer.ts';
import type { CheckArguments } from './common-options.ts';
import type { Output } from './open-output.ts';
import { printReport } from './print-report.ts';

export interface WarmUpOptions {
  readonly source: Source;
  readonly inputs: CheckInputs;
  readonly args: CheckArguments;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/**
 * Receives, judges and reports made-up spans while nothing has arrived: the first verdict of a process takes several times as long as
 * the next, because its code is loaded and compiled.
 * @param own Request of this tool.
 */
export async function warmUp(own: Span, options: WarmUpOptions): Promise<void> {
  const called: Span = {
    ...own,
    ...{ spanId: '1'.repeat(16), parentSpanId: own.spanId, kind: 'SERVER', serviceName: 'called' },
  };
  const open: Span = { ...called, spanId: '2'.repeat(16), parentSpanId: called.spanId, kind: 'CLIENT' };
  const isReceiver = options.source.isReceiver === true;
  for (const spans of [[called], [called, open]]) {
    const source = isReceiver ? await openReceiver() : openMemory(spans);
    const report = () => reportSpans(own, { ...options, source });
    const sendJson = () => post(source, 'application/json', encodeOtlpLines(spans));
    const sendProtobuf = async () => {
      const { encodeOtlpProtobuf } = await import('../decode/encode-otlp-protobuf.ts');
      await post(source, 'application/x-protobuf', encodeOtlpProtobuf(spans));
    };
    // The report takes longest, and every run needs it: spans may arrive before the last step.
    const steps = isReceiver ? [sendJson, report, sendProtobuf] : [report];
    try {
      for (const step of steps) {
        // Lets in what may arrive.
        await setImmediate();
        if (hasArrived(options.source)) return;
        await step();
      }
    } finally {
      await source.close();
    }
  }
}

function hasArrived({ revision = 0 }: Source): boolean {
  return revision > 0;
}

async function openReceiver(): Promise<Source> {
  const { startOtlpReceiver } = await import('../source/otlp-receiver.ts');
  return startOtlpReceiver({ port: 0 });
}

function openMemory(spans: readonly Span[]): Source {
  return {
    name: 'memory',
    readTrace: async () => spans,
    searchTraces: async () => [],
    close: async () => {},
  };
}

/** A connection that fails makes the first verdict slower, and nothing else. */
async function post({ url }: Source, type: string, body: string | Uint8Array): Promise<void> {
  const sent = request(new URL('/v1/traces', url), {
    ...{ method: 'POST', agent: false, headers: { 'content-type': type } },
  });
  sent.end(body);
  try {
    const [response] = await once(sent, 'response');
    await once(response.resume(), 'end');
  } catch {
    sent.destroy();
  }
}

async function reportSpans(
  own: Span,
  { source, inputs, args, output, signal }: WarmUpOptions,
): Promise<void> {
  const { spans, detached } = await collectTraces({
    ...{ source, traceIds: [own.traceId], requests: [own], services: [], answeredAt: Date.now() },
    ...{ withReceived: source.isReceiver === true, readInputs: async () => inputs },
    ...{ waitMs: 0, settleMs: 0, signal },
  });
  const store = storeOf(spans);
  const result = judgeCollected({ store, detached }, inputs, null);
  const details = { source: source.name, reason: null, notes: [], collector: null };
  const judged = { result, details, readStore: () => store, inputs };
  const quiet = { ...args, report: [], updateBaseline: false };
  await printReport(judged, quiet, { ...output, print: async () => {} });
}
