/** The library: read spans, check them, print the result. The command line uses the same parts. */

export type { EdgeProtocol } from './calls/call-group.ts';
export { BaselineError, readBaseline, renderBaseline } from './config/read-baseline.ts';
export { DecodeError } from './decode/decode-error.ts';
export { type Decoded, decodeBytes, type Format } from './decode/detect-format.ts';
export type { OtherSignal } from './decode/other-signals.ts';
export { type Expectation, type ExpectedEdge, expectPath, noExpectation } from './expect/expectation.ts';
export { readExpectation } from './expect/read-expectation.ts';
export { ExpectationError, readExpectedPath } from './expect/read-expected-path.ts';
export type { ReceivedTraceparent } from './headers/captured.ts';
export type {
  AnsweredContext,
  AnsweredSpan,
  BaggageEntry,
  DuplicatedTraceContext,
  HeaderField,
  MalformedTraceContext,
  PropagationFormat,
  ReadableTraceContext,
  TraceContextReading,
  WireContext,
  WireRecord,
} from './headers/evidence.ts';
export { type HeaderEvidence, noHeaderEvidence } from './headers/wire.ts';
export { type Checked, check } from './library/check.ts';
export type { CheckSettings, Spans } from './library/check-settings.ts';
export { expectPropagation, PropagationError } from './library/expect-propagation.ts';
export { type MatcherResult, matchers, type PropagationMatchers } from './library/matchers.ts';
export { type Receiver, startReceiver } from './library/start-receiver.ts';
export {
  type CommandEnd,
  type ReportDetails,
  type RequestCounts,
  renderJson,
  type SearchExtent,
} from './report/json.ts';
export { renderTerminal } from './report/terminal.ts';
export type { FindingOptions } from './report/terminal-findings.ts';
export type { Prose } from './rules/define-finding.ts';
export type { EndedCalls } from './rules/draft.ts';
export type { ClosedGate, UnreportedEnd } from './rules/explain-loose-ends.ts';
export { type FindingId, findingIds, type Severity } from './rules/finding.ts';
export { findings as prose } from './rules/findings.ts';
export type { ProjectHint } from './rules/project-hint.ts';
export { readCollectorCounters } from './source/collector-metrics.ts';
export type {
  AcceptedExport,
  ExportRequest,
  ExportSink,
  OwnAddress,
  Signal,
} from './source/export-request.ts';
export { type FileOptions, type FileSource, readSpanFile } from './source/file.ts';
export type { HttpClientOptions } from './source/http-client.ts';
export { openSource, type SourceOptions } from './source/open-source.ts';
export { type OtlpReceiver, type OtlpReceiverOptions, startOtlpReceiver } from './source/otlp-receiver.ts';
export type { OtlpContentType } from './source/otlp-response.ts';
export { type Source, SourceError, type TraceQuery } from './source/source.ts';
export type { CollectorCounters } from './span/collector-counters.ts';
export {
  type Attributes,
  type AttributeValue,
  isParentRemote,
  type Span,
  type SpanKind,
  type SpanLink,
  type SpanStatus,
} from './span/span.ts';
export { startTap, type Tap } from './tap/start-tap.ts';
export type { TapOptions } from './tap/tap-options.ts';
export {
  applyBaseline,
  type Baseline,
  type KnownFinding,
  listFixed,
  updateBaseline,
} from './verdict/apply-baseline.ts';
export { type CheckOptions, checkTraces } from './verdict/check-traces.ts';
export { decideOutcome, type FailOn, type Outcome } from './verdict/decide-verdict.ts';
export type {
  EdgeResult,
  Evidence,
  Finding,
  PastService,
  ProjectEvidence,
  Result,
  Undecided,
  UnjudgedEdge,
} from './verdict/result.ts';
