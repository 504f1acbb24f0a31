import type { OtherSignal } from '../decode/other-signals.ts';

/** Says which signals of OTLP files without spans hold, and which file to give instead. */
export function explainNoSpan(source: string, signals: Iterable<OtherSignal>): string {
  const names = [...new Set(signals)];
  const held = names.length === 0 ? '' : `it holds ${names.join(' and ')}; `;
  return `${source}: no span in it; ${held}give a file with traces, such as the file exporter of a Collector writes in a pipeline of traces ({"resourceSpans": […]})`;
}
