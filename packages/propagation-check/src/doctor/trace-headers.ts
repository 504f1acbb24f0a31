/** Headers without which the next service begins a trace of its own, where its format is the one that is used. */
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
