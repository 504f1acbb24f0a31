import type { OtherSignal } from '../decode/other-signals.ts';

/** Of files in which no span is: which signals of OTLP they hold instead, and what to give. */
export function explainNoSpan(source: string, signals: Iterable<OtherSignal>): string {
  const names = [...new Set(signals)];
  const held = names.length === 0 ? '' : `it holds ${names.join(' and ')}; `;
  return `${source}: no span in it; ${held}give a file with traces, such as the file exporter of a Collector writes in a pipeline of traces ({"resourceSpans": […]})`;
}
