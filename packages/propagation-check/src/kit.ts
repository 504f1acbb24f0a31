/**
 * Parts of the command line for other programs of this repository (`scripts/`, `lab/`). Not published: the package exports it only under
 * the condition `trace-context-source`.
 */

export { readClickhouseAddress } from './audit/clickhouse/clickhouse-address.ts';
export { createClickhouseSource } from './audit/clickhouse/clickhouse-source.ts';
export { createFileSource } from './audit/file-source.ts';
export { readWindows } from './audit/read-windows.ts';
export { createSearchSource } from './audit/search-source.ts';
export { readCallFacts } from './calls/call-facts.ts';
export { readText } from './calls/fact-source.ts';
export { Interruption, listenForSignals } from './cli/interruption.ts';
export { openOutput } from './cli/open-output.ts';
export { readPageScript } from './cli/read-page-script.ts';
export { readWireFile } from './cli/read-wire.ts';
export { toErrorLine } from './cli/to-error-line.ts';
export { UsageError } from './cli/usage-error.ts';
export { encodeOtlpProtobuf } from './decode/encode-otlp-protobuf.ts';
export { decodeJsonLines } from './decode/json-lines.ts';
export { readExportRequest } from './decode/otlp-protobuf.ts';
export { parseTraceparent, splitTraceparents, traceparentFaults } from './headers/parse-traceparent.ts';
export { readWireContext } from './headers/read-wire-context.ts';
export { escapeText } from './report/escape-text.ts';
export { renderHtml } from './report/html/render-html.ts';
export { hang, type Layout, paint, type Style, truncate } from './report/layout.ts';
export { renderTraceTrees } from './report/trace-tree.ts';
export { EdgeCounters } from './sink/edge-counters.ts';
export { TraceJudge } from './sink/trace-judge.ts';
export { describeFileError } from './source/file-error.ts';
export { readSpanStore } from './source/read-span-store.ts';
export { replaceFile } from './source/replace-file.ts';
export { encodeOtlpLines } from './span/encode-otlp-lines.ts';
export { escapeJson } from './util/escape-json.ts';
export { mapConcurrently } from './util/map-concurrently.ts';
export { checkStore } from './verdict/check-traces.ts';
