/** Headers that carry the trace context in one of the formats. Without them the next service begins a new trace. */
const traceHeaders = [
  'traceparent',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'uber-trace-id',
  'x-amzn-trace-id',
  'sw8',
];

export function isTraceHeader(name: string): boolean {
  return traceHeaders.includes(name.toLowerCase());
}
