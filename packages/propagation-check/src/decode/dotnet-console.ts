import type { Span, SpanLink } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { readIsoTime } from './iso-time.ts';
import { prefixLine } from './json-lines.ts';
import type { LineReading } from './line-reading.ts';
import { readKindName, readStatusName } from './otlp-fields.ts';
import { quoteValue } from './quote-value.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId } from './span-id.ts';
import { withLinks } from './with-links.ts';

const field = /^Activity\.(\w{1,40}): *(.*)$/;
const status = /^StatusCode ?: *(Unset|Ok|Error)$/i;
const entry = /^(\S.*?):(?: (.*))?$/;
const linkedSpan = /^([\da-f]+) ([\da-f]+)$/;

type Section = 'fields' | 'Tags' | 'Events' | 'Links' | 'resource' | 'scope';

const headings: ReadonlyMap<string, Section> = new Map([
  ['Activity.Tags:', 'Tags'],
  ['Activity.Events:', 'Events'],
  ['Activity.Links:', 'Links'],
  ['Instrumentation scope (ActivitySource):', 'scope'],
  ['Resource associated with Activity:', 'resource'],
]);

interface Draft {
  readonly line: number;
  readonly fields: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly scope: Map<string, string>;
  readonly resource: Map<string, string>;
  readonly links: SpanLink[];
}

const spanStart = /^Activity\.TraceId:/;

/** Whether a text has spans as the console exporter of .NET prints them, in lines without a prefix. */
export function isDotnetConsole(text: string): boolean {
  return new RegExp(spanStart, 'm').test(text);
}

/**
 * Decodes the spans that .NET's console exporter prints among other output of a program. Attribute values are strings; `flags` are null.
 *
 * Source: opentelemetry-dotnet, `ConsoleActivityExporter.cs`.
 * @throws {DecodeError} with the first line of a span that is wrong or cut off.
 */
export function decodeDotnetConsole(text: string): LineReading {
  const drafts: Draft[] = [];
  let draft: Draft | null = null;
  let section: Section = 'fields';
  const rest: string[] = [];
  for (const [index, raw] of text.replace(/\n$/, '').split('\n').entries()) {
    const line = raw.trim();
    if (spanStart.test(line)) {
      const maps = { fields: new Map(), tags: new Map(), scope: new Map(), resource: new Map() };
      draft = { line: index + 1, ...maps, links: [] };
      drafts.push(draft);
      section = 'fields';
    }
    // The resource is the last section of a span: a blank line ends it. A blank line elsewhere is part of a value.
    if (line === '' && section === 'resource') draft = null;
    const next: Section | null = draft && (headings.get(line) ?? addLine(draft, section, line));
    const isOwn = next !== null || (draft !== null && section !== 'fields' && /^\s/.test(raw));
    rest.push(isOwn ? '' : raw);
    section = next ?? section;
  }
  if (draft?.resource.has('service.name') === false && draft.resource.size > 0)
    throw new DecodeError(`line ${draft.line}: a span without service.name at the end: it is cut off`);
  return { spans: drafts.map(toSpan), rest: rest.join('\n') };
}

/** @returns The section of the next line; null for a line that is no part of the section. */
function addLine(draft: Draft, section: Section, line: string): Section | null {
  const [, name, value = ''] = field.exec(line) ?? [];
  if (name !== undefined) {
    if (!draft.fields.has(name)) draft.fields.set(name, value);
    return 'fields';
  }
  const [, code] = status.exec(line) ?? [];
  if (code !== undefined) {
    draft.fields.set('StatusCode', code);
    return 'fields';
  }
  if (section === 'Links') {
    const [, traceId, spanId] = linkedSpan.exec(line) ?? [];
    if (traceId === undefined || spanId === undefined) return null;
    draft.links.push({ traceId, spanId });
    return section;
  }
  const [, key, text = ''] = entry.exec(line) ?? [];
  if (section === 'Tags' || section === 'Events') {
    if (section === 'Tags' && key !== undefined) draft.tags.set(key, text);
    // A value may have several lines.
    return section;
  }
  if (section === 'fields' || key === undefined) return null;
  if (section === 'resource') draft.resource.set(key, text);
  // A scope's fields come before its tags, so a tag does not replace the scope's `Name`.
  else if (!draft.scope.has(key)) draft.scope.set(key, text);
  return section;
}

function toSpan({ line, fields, tags, scope, resource, links }: Draft): Span {
  try {
    if (resource.size === 0)
      throw new DecodeError('a span without its resource: it is cut off, or other lines are between its own');
    const start = readIsoTime(fields.get('StartTime'), 'Activity.StartTime');
    const span = {
      traceId: readTraceId(fields.get('TraceId') ?? '', 'Activity.TraceId', 'hex'),
      spanId: readSpanId(fields.get('SpanId') ?? '', 'Activity.SpanId', 'hex'),
      parentSpanId: readParentSpanId(fields.get('ParentSpanId'), 'Activity.ParentSpanId', 'hex'),
      traceState: fields.get('TraceState') ?? '',
      flags: null,
      name: fields.get('DisplayName') ?? '',
      kind: readKindName(fields.get('Kind') ?? '', 'Activity.Kind'),
      startTimeUnixNano: start,
      endTimeUnixNano: start + readDuration(fields.get('Duration') ?? ''),
      attributes: tags,
      status: {
        code: readStatusName(fields.get('StatusCode') ?? '', 'StatusCode'),
        message: fields.get('StatusDescription') ?? '',
      },
      serviceName: readServiceName(resource),
      resource,
      scopeName: scope.get('Name') ?? fields.get('ActivitySourceName') ?? '',
    };
    return withLinks(span, links, 'Activity.Links', (link) => readLinkIds(link.traceId, link.spanId, 'hex'));
  } catch (error) {
    throw prefixLine(line, error);
  }
}

const duration = /^(?:(\d{1,8})\.)?(\d\d):(\d\d):(\d\d)(?:\.(\d{7}))?$/;

/** Reads a `TimeSpan`, which has steps of 100 ns. @returns Nanoseconds. */
function readDuration(text: string): bigint {
  const found = duration.exec(text);
  if (found === null)
    throw new DecodeError(`Activity.Duration: ${quoteValue(text)} is not a duration of .NET`);
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', ticks = '0'] = found;
  const total = ((BigInt(days) * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(seconds);
  return total * 1_000_000_000n + BigInt(ticks) * 100n;
}
