import { setImmediate } from 'node:timers/promises';
import type { OtlpContentType } from '../source/otlp-response.ts';
import { selectTraces } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import { encodeOtlpLines } from '../span/encode-otlp-lines.ts';
import type { AttributeValue, Span } from '../span/span.ts';
import { SpanWriter } from '../span/span-writer.ts';

/**
 * Checks made-up spans until real ones arrive, so that the code is loaded and compiled by then: the first verdict of a process takes
 * several times as long as the next.
 * @param request A request of this tool, as its CLIENT span.
 * @param check Checks the request against a source, without any output.
 */
export async function warmUp(
  request: Span,
  source: Source,
  check: (source: Source) => Promise<unknown>,
): Promise<void> {
  const spans = makeUpSpans(request);
  const { isReceiver = false } = source;
  const steps = [
    () => check(openMemory(spans, isReceiver)),
    () => readJson(spans),
    () => readProtobuf(spans),
  ];
  for (const step of steps) {
    // Lets the receiver handle exports that have arrived.
    await setImmediate();
    if ((source.revision ?? 0) > 0) return;
    await step();
    // Other sources use other decoders.
    if (!isReceiver) return;
  }
}

function openMemory(spans: readonly Span[], isReceiver: boolean): Source {
  return {
    ...{ name: 'memory', isInMemory: true, isReceiver },
    readTrace: async (id) => spans.filter(({ traceId }) => traceId === id),
    searchTraces: async (query) => selectTraces(spans, query),
    close: async () => {},
  };
}

async function readJson(spans: readonly Span[]): Promise<void> {
  const [line = ''] = encodeOtlpLines(spans).split('\n');
  await readExport('application/json', Buffer.from(line));
}

async function readProtobuf(spans: readonly Span[]): Promise<void> {
  const { encodeOtlpProtobuf } = await import('../decode/encode-otlp-protobuf.ts');
  await readExport('application/x-protobuf', encodeOtlpProtobuf(spans));
}

async function readExport(type: OtlpContentType, body: Uint8Array): Promise<void> {
  const { ExportReader } = await import('../source/export-reader.ts');
  new ExportReader(new SpanWriter()).read({ signal: 'traces', type, body });
}

const traceparentAttribute = 'http.request.header.traceparent';

/** Makes spans of the called service, which makes two calls: one is whole, and the other has lost its context. */
function makeUpSpans(request: Span): readonly Span[] {
  const entry = continueSpan(request, '1', 'SERVER', 'caller');
  const whole = continueSpan(entry, '2', 'CLIENT', 'caller');
  const lost = continueSpan(entry, '3', 'CLIENT', 'caller');
  const called = continueSpan(whole, '4', 'SERVER', 'called');
  const root = {
    ...continueSpan(lost, '5', 'SERVER', 'called', []),
    ...{ traceId: '5'.repeat(32), parentSpanId: null },
  };
  return [entry, whole, lost, called, root];
}

/**
 * @param digit The digit that its span id repeats.
 * @param header The `traceparent` that the span recorded.
 */
function continueSpan(
  parent: Span,
  digit: string,
  kind: Span['kind'],
  serviceName: string,
  header: AttributeValue = [`00-${parent.traceId}-${parent.spanId}-01`],
): Span {
  return {
    ...parent,
    ...{ spanId: digit.repeat(16), parentSpanId: parent.spanId, kind, serviceName },
    attributes: new Map([...parent.attributes, [traceparentAttribute, header]]),
    resource: new Map([
      ['service.name', serviceName],
      ['telemetry.sdk.language', 'nodejs'],
    ]),
  };
}
