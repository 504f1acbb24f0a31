import type { AttributeValue, Span } from '../span/span.ts';
import { toIntegerValue } from './attribute-value.ts';
import { DecodeError } from './decode-error.ts';
import { readIsoTime } from './iso-time.ts';
import { prefixLine } from './json-lines.ts';
import type { LineReading } from './line-reading.ts';
import { readKindName, readStatusName } from './otlp-fields.ts';
import { readPlainAttributes } from './plain-attributes.ts';
import { quoteValue } from './quote-value.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId } from './span-id.ts';
import { withLinks } from './with-links.ts';

/** Messages of metrics and logs begin in the same form. */
const resourceStart = /(?:^|\t)Resource(Spans|Metrics|Logs?|Profiles) #\d+$/;
const spanStart = /^Span #\d+$/;
const scope = /^Instrumentation(?:Scope|Library) (.*) \S*$/;
const field = /^([A-Z][A-Za-z ]{1,30}?) {0,20}:(?: (.*))?$/;
/** Collectors before 0.64 write the types in capitals. */
const attribute = /^-> (.+?): (Str|String|Int|Bool|Double|Slice|Map|Bytes|Empty)\((.*?)\)?$/i;
/** A line of a message as such; every line begins so, apart from the further lines of a value. */
const ownLine = /^(?:\s|(?:Resource|Scope|Instrumentation|Span)\w* ?|(?:Attributes|Events|Links):)/;
const linkField = /^-> (Trace ID|ID): (\w*)$/;
/** Headings within a message, and the section that follows each. */
const sections: ReadonlyMap<string, Section> = new Map([
  ['Resource attributes:', 'resource'],
  ['Resource labels:', 'resource'],
  ['InstrumentationScope attributes:', 'other'],
  ['Attributes:', 'attributes'],
  ['Events:', 'other'],
  ['Links:', 'links'],
]);

type Section = 'resource' | 'span' | 'attributes' | 'links' | 'other';

interface Link {
  traceId: string;
  spanId: string;
}

interface Draft {
  readonly line: number;
  readonly scopeName: string;
  readonly resource: Map<string, AttributeValue>;
  readonly fields: Map<string, string>;
  readonly attributes: Map<string, AttributeValue>;
  readonly links: Link[];
}

/** Whether a text has spans as the Collector's debug exporter prints them with `verbosity: detailed`, in lines without a prefix. */
export function isCollectorDebug(text: string): boolean {
  return /(?:^|\t)ResourceSpans #\d+\r?$/m.test(text) && /^[ \t]*Span #\d+\r?$/m.test(text);
}

/**
 * Decodes the spans that the Collector's debug exporter (before 0.86: logging exporter) prints among other lines of its log. `flags` are
 * null: the exporter prints none.
 *
 * Source: opentelemetry-collector, `exporter/internal/otlptext`.
 * @throws {DecodeError} with the first line of a span that is wrong or cut off.
 */
export function decodeCollectorDebug(text: string): LineReading {
  const lines = text.split('\n');
  refuseCut(lines);
  const hasEnds = lines.some(isEnd);
  let isOver = true;
  const drafts: Draft[] = [];
  const rest: string[] = [];
  let resource: Map<string, AttributeValue> | null = null;
  let draft: Draft | null = null;
  let scopeName = '';
  let section: Section = 'other';
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    const [, signal] = resourceStart.exec(line) ?? [];
    if (signal !== undefined || (!hasEnds && logLine.test(raw))) {
      resource = signal === 'Spans' ? new Map() : null;
      [draft, scopeName, section, isOver] = [null, '', 'other', resource === null];
    } else if (spanStart.test(line)) {
      if (resource === null) throw new DecodeError(`line ${index + 1}: ${withoutResource}`);
      const empty = { fields: new Map(), attributes: new Map(), links: [] };
      draft = { line: index + 1, scopeName, resource, ...empty };
      drafts.push(draft);
      [section, isOver] = ['span', false];
    } else if (sections.has(line)) section = sections.get(line) ?? section;
    else if (scope.test(raw.trimStart())) scopeName = scope.exec(raw.trimStart())?.[1] ?? '';
    else addLine(section, line, resource, draft);
    // Where messages have ends, all lines before are their own.
    const isOwn = !isOver && (hasEnds || signal !== undefined || ownLine.test(raw));
    // The value of an attribute may look like a part of a printed span.
    rest.push(isOwn ? '' : line.startsWith('->') ? '->' : raw);
    if (isEnd(raw) && !ownLine.test(lines[index + 1] ?? '')) [section, isOver] = ['other', true];
  }
  return { spans: drafts.map(toSpan), rest: rest.join('\n') };
}

const whole = 'take the whole log (without --tail or --since)';
const withoutResource = `a span without its resource: the log begins in the middle of a message; ${whole}`;

/**
 * The Collector's logger ends each message with a line of its fields (`{…}`). Without the logger (`use_internal_logger: false`) nothing
 * marks the end of a message, so only an attribute that is cut off is detected.
 */
function refuseCut(lines: readonly string[]): void {
  const starts = lines.flatMap((line, index) => (/\tResource\w+ #\d+\r?$/.test(line) ? [index] : []));
  const open = starts.find((start, at) => !lines.slice(start, starts[at + 1]).some(isEnd));
  if (open !== undefined && lines.some(isEnd))
    throw new DecodeError(`line ${open + 1}: this message has no end: the log is cut off; ${whole}`);
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const line = lines[last]?.trim() ?? '';
  if (attribute.test(line) && !line.endsWith(')'))
    throw new DecodeError(
      `line ${last + 1}: an attribute without its closing bracket: the log is cut off; ${whole}`,
    );
}

function isEnd(line: string): boolean {
  return line.startsWith('\t{');
}

/** What the logger prints otherwise: a time, a level and a message. */
const logLine = /^\S+\t(?:debug|info|warn|error)\t/i;

function addLine(
  section: Section,
  line: string,
  resource: Map<string, AttributeValue> | null,
  draft: Draft | null,
): void {
  if (section === 'resource') addAttribute(resource, line);
  else if (section === 'attributes') addAttribute(draft?.attributes, line);
  else if (section === 'span') {
    const [, name, value = ''] = field.exec(line) ?? [];
    if (name !== undefined && draft?.fields.has(name) === false) draft.fields.set(name, value);
  } else if (section === 'links') {
    if (line.startsWith('SpanLink #')) draft?.links.push({ traceId: '', spanId: '' });
    const link = draft?.links.at(-1);
    const [, name, id = ''] = linkField.exec(line) ?? [];
    if (link === undefined || name === undefined) return;
    if (name === 'ID') link.spanId = id;
    else link.traceId = id;
  }
}

function addAttribute(attributes: Map<string, AttributeValue> | null | undefined, line: string): void {
  const [, key, type = '', value = ''] = attribute.exec(line) ?? [];
  if (key !== undefined) attributes?.set(key, readValue(type.toLowerCase(), value));
}

function readValue(type: string, text: string): AttributeValue {
  if (type === 'int' && /^-?\d{1,20}$/.test(text)) return toIntegerValue(BigInt(text));
  if (type === 'double' && Number.isFinite(Number(text))) return Number(text);
  if (type === 'bool') return text === 'true';
  if (type !== 'slice') return text;
  try {
    return readPlainAttributes({ list: JSON.parse(text) }, 'list').get('list') ?? text;
  } catch {
    return text;
  }
}

function toSpan({ line, scopeName, resource, fields, attributes, links }: Draft): Span {
  try {
    const read = (name: string): string => {
      const value = fields.get(name);
      if (value === undefined)
        throw new DecodeError(`a span without "${name}": it is cut off, or other lines are between its own`);
      return value;
    };
    const span = {
      traceId: readTraceId(read('Trace ID'), 'Trace ID', 'hex'),
      spanId: readSpanId(read('ID'), 'ID', 'hex'),
      parentSpanId: readParentSpanId(read('Parent ID'), 'Parent ID', 'hex'),
      traceState: fields.get('TraceState') ?? '',
      flags: null,
      name: read('Name'),
      kind: readKindName(read('Kind'), 'Kind'),
      startTimeUnixNano: readTime(read('Start time'), 'Start time'),
      endTimeUnixNano: readTime(read('End time'), 'End time'),
      attributes,
      status: {
        code: readStatusName(fields.get('Status code') ?? '', 'Status code'),
        message: read('Status message'),
      },
      serviceName: readServiceName(resource),
      resource,
      scopeName,
    };
    return withLinks(span, links, 'Links', (link) => readLinkIds(link.traceId, link.spanId, 'hex'));
  } catch (error) {
    throw prefixLine(line, error);
  }
}

const goTime = /^(.*) ([+-]\d\d)(\d\d) \w+$/;

/** Go's `time.Time.String()`. A time without its zone is cut off. */
function readTime(text: string, name: string): bigint {
  if (!goTime.test(text))
    throw new DecodeError(`${name}: ${quoteValue(text)} is not a time of Go, or cut off`);
  return readIsoTime(text.replace(goTime, '$1$2:$3'), name);
}
