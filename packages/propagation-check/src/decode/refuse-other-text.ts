import { DecodeError, makeSpanlessError } from './decode-error.ts';

const byOtlp =
  'export OTLP instead (OTEL_TRACES_EXPORTER=otlp), to a Collector with the file exporter or to `propagation-check run --source otlp`';

interface OtherText {
  readonly matches: RegExp;
  readonly says: string;
}

interface OwnText {
  readonly matches: RegExp;
  readonly is: string;
  readonly option: string;
}

const json =
  'take JSON: from ClickHouse with FORMAT JSONEachRow, from Elasticsearch or Jaeger the answer of its API';

/** Matches keys at the beginning of a YAML file, after comments. No two parts of the pattern match the same text, so the time is linear. */
const yaml = (...keys: readonly string[]) =>
  new RegExp(String.raw`^\uFEFF?(?:(?:---)?[^\S\n]*(?:#[^\n]*)?\n)*(?:${keys.join('|')}):(?:\s|$)`);

/** Files that are written for this tool, by their first keys. Logs may begin with the same words, so only a text without spans is checked. */
const ownFiles: readonly OwnText[] = [
  {
    matches: yaml('known'),
    is: 'a baseline',
    option: '--baseline',
  },
  {
    matches: yaml('edges', 'baggage', 'tolerated-peers', 'traceresponse'),
    is: 'an expectations file',
    option: '--expectations',
  },
  {
    matches: yaml('source', 'expectations', 'reports', 'baseline', 'fail-on', 'wire', 'run', 'audit'),
    is: 'a configuration',
    option: '--config',
  },
];

/** Texts that are recognised by their beginning, because the rest looks like parts of printed spans. */
const beginnings: readonly OtherText[] = [
  {
    matches:
      /^(?!\[)(?=[^\n]*(?:trace|span|operation)[ _.]?id)[\w@. "()[\]-]+(?:[,;\t][\w@. "()[\]-]*)+(?=\n|$)/i,
    says: `a table (CSV or TSV); ${json}`,
  },
  { matches: /^Row 1:\n/, says: `ClickHouse's format Vertical; ${json}` },
  { matches: /^\[\s*"[^\n]*"(?:trace_?id)"/i, says: `rows whose columns have no names; ${json}` },
  { matches: /^\s*"(?:\\[nt]|\s)*[[{]/, says: 'JSON within a JSON string; unwrap it (jq -r .)' },
  {
    matches: /^(?:eyJ|W3s|ewog|H4sI)(?![\s\S]*[^A-Za-z\d+/=\s])/,
    says: 'encoded in base64; decode it first (base64 -d)',
  },
  {
    matches: /^(?:[\da-f]{2}[^\S\n]?){30,}(?:\n|$)/i,
    says: 'written as hex digits; make bytes of them (xxd -r -p)',
  },
];

/** Printed spans that are not read, because they hold too little or have a form of their own. */
const others: readonly OtherText[] = [
  {
    matches: /\[tracer: [^\]\n]{0,200}\]/,
    says: "Java's LoggingSpanExporter, which prints neither services nor parents; set OTEL_TRACES_EXPORTER=otlp, or logging-otlp, whose lines can be read",
  },
  {
    matches: /^[^\S\n]*name[^\S\n]+: [^\n]*\n[^\S\n]*trace_id[^\S\n]*:/m,
    says: `the ostream exporter of C++; ${byOtlp}`,
  },
  { matches: /^\*SPANS FOR DEBUG\*/m, says: `the stdout exporter of Erlang and Elixir; ${byOtlp}` },
  {
    matches: /^Span [^\n]*:[^\S\n]*\n[^\S\n]*TraceId: /m,
    says: `the stdout exporter of Swift; ${byOtlp}`,
  },
  {
    matches: /^Spans[^\S\n]*\n[^\S\n]*Resource\b|^[^\S\n]*TraceId[^\S\n]*:/m,
    says: `the stdout exporter of Rust; ${byOtlp}`,
  },
  {
    matches:
      /^(?:[^\n]{0,100}[^\S\n])?(?:ResourceSpans|ScopeSpans|ResourceTraces|ScopeTraces|Span) #\d|\tTraces\t\{[^\n]{0,200}"spans": \d/m,
    says:
      "the Collector's debug exporter, with text in front of its lines or with less than `verbosity: detailed`; take its log without (kubectl logs POD, " +
      'docker compose logs --no-log-prefix SERVICE), or what its file exporter writes (exporters: file: path: spans.jsonl)',
  },
  {
    matches: /"msg": ?"Resource(?:Spans|Traces) #\d/,
    says: "the Collector's debug exporter in a log in JSON; take the text out of it (jq -r .msg)",
  },
  {
    matches: /#<struct OpenTelemetry::SDK::Trace::SpanData/,
    says: `the console exporter of Ruby; ${byOtlp}`,
  },
  {
    matches: /^\|(?=[^\n]*(?:trace|span)[ _.]?id)[^\n]*\|[^\S\n]*\n\|[-:| ]+\|/im,
    says: `a table (Markdown); ${json}`,
  },
  {
    matches: /^[^\S\n]*(?:resourceSpans|resource_spans|spans):[^\S\n]*$/m,
    says: 'YAML; convert it to JSON (yq -o json)',
  },
  {
    matches: /^[^\S\n]*resource_spans[^\S\n]*\{/m,
    says: `protobuf's text format, which a program printed; ${byOtlp}`,
  },
  {
    matches: /^(?:\[pod\/|[\w.-]{1,100}[^\S\n]+\| |\d{4}-\d\d-\d\dT\S{1,40} (?:std(?:out|err) [FP] )?[{[])/m,
    says:
      'a log with text in front of each line, as `kubectl logs --prefix`, `--timestamps` and `docker compose logs` write it; take it without ' +
      '(kubectl logs POD, docker compose logs --no-log-prefix --no-color SERVICE)',
  },
];

/** @throws {DecodeError} for a text that is recognised by its beginning; the message says what to take instead. */
export function refuseBeginning(text: string): void {
  refuse(beginnings, text);
}

/** @throws {DecodeError} for a recognised text without readable spans; the message names it and says what to take instead. */
export function refuseOtherText(text: string): void {
  refuse(others, text);
  const own = find(ownFiles, text);
  if (own !== undefined)
    throw makeSpanlessError(
      'byte 0',
      `this is ${own.is} of propagation-check`,
      `name it with ${own.option} FILE`,
    );
}

/** Enough characters to recognise a text. */
const startLength = 100_000;

/**
 * All characters after which `^` matches, to be replaced by `\n`. `[^\S\n]*` would match the others, and a text of many of them would
 * take quadratic time.
 */
const lineBreak = /\r\n?|[\u2028\u2029]/g;

function refuse(known: readonly OtherText[], text: string): void {
  const other = find(known, text);
  if (other !== undefined) throw new DecodeError(`byte 0: this is ${other.says}`);
}

function find<Kind extends Pick<OtherText, 'matches'>>(
  known: readonly Kind[],
  text: string,
): Kind | undefined {
  const start = text.slice(0, startLength).replace(lineBreak, '\n');
  return known.find(({ matches }) => matches.test(start));
}
