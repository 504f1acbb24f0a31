import { type ByteSource, grown } from '../span/byte-source.ts';
import { droppedCounts } from '../span/dropped-counts.ts';
import { isKept, presenceOnly } from '../span/kept-attributes.ts';
import { spanKinds, statusCodes } from '../span/span.ts';
import type { Resource } from '../span/span-store.ts';
import { attributeField, field, type SpanWriter } from '../span/span-writer.ts';
import { valueType } from '../span/value-arena.ts';
import { emptyText, isRaw } from '../span/value-id.ts';
import { DecodeError } from './decode-error.ts';
import {
  JsonBytes,
  Refusal,
  readHexWord,
  readNanoseconds,
  readSeconds,
  readTraceId,
  refuse,
  sign,
  timeDigits,
} from './json-bytes.ts';
import { KnownSpans, part } from './known-spans.ts';
import { LearntBudget } from './learnt-budget.ts';
import { Literal } from './literal.ts';
import { readSpanKind, readStatusCode, toSpanKind, toStatusCode } from './otlp-fields.ts';
import { isObject, readAttributes, readResource } from './otlp-json-value.ts';

const { quote, openBrace, closeBrace, openBracket, closeBracket } = sign;

/** The number of templates that are remembered: hostile data may have any number of distinct beginnings of attributes. */
const mostTemplates = 4_096;

/** The beginning of an attribute, up to its value: `{"key":"http.route","value":{"stringValue":`. */
interface Template {
  readonly literal: Literal;
  readonly kind: ScalarKind;
  /** Null where the attribute is not kept. */
  readonly key: number | null;
  readonly isPresenceOnly: boolean;
  /** Id of the attribute's last value; -1 if that value had escapes or is raw. */
  value: number;
  /** The two templates that followed this one most recently: spans of one instrumentation have their attributes in the same order. */
  next: Template | null;
  other: Template | null;
}

type ScalarKind = 'text' | 'integer' | 'double' | 'boolean';

const scalarKinds: ReadonlyMap<string, ScalarKind> = new Map([
  ['stringValue', 'text'],
  ['bytesValue', 'text'],
  ['intValue', 'integer'],
  ['doubleValue', 'double'],
  ['boolValue', 'boolean'],
]);

const keys = {
  traceState: quoted('traceState'),
  parentSpanId: quoted('parentSpanId'),
  startTimeUnixNano: quoted('startTimeUnixNano'),
  endTimeUnixNano: quoted('endTimeUnixNano'),
  attributes: quoted('attributes'),
  status: quoted('status'),
  droppedLinks: quoted('droppedLinksCount'),
  droppedAttributes: quoted('droppedAttributesCount'),
} as const;

/** Fields that are left to the strict decoder: a second `resource` or `scopeSpans`, and other names of `scopeSpans`. */
const unscannedResourceFields: ReadonlySet<string> = new Set([
  ...['resource', 'scopeSpans', 'scope_spans', 'instrumentationLibrarySpans'],
]);

/** A bit for each field of a span, to detect a field that occurs twice. */
const seen = {
  traceId: 1,
  spanId: 2,
  parentSpanId: 4,
  traceState: 8,
  flags: 16,
  name: 32,
  kind: 64,
  start: 128,
  end: 256,
  attributes: 512,
  links: 1_024,
  status: 2_048,
  droppedLinks: 4_096,
  droppedAttributes: 8_192,
} as const;

/**
 * Reads OTLP/JSON export requests from bytes into columns, without JSON.parse.
 *
 * It accepts only data that the strict decoder (`decodeOtlpDocument`) accepts with the same result, and refuses everything unusual, valid
 * or not. After a refusal its rows are rolled back and the strict decoder reads the same bytes, so the two never disagree.
 */
export class OtlpJsonScanner {
  readonly #writer: SpanWriter;
  readonly #json = new JsonBytes({ bytes: new Uint8Array(), view: new DataView(new ArrayBuffer(0)) });
  readonly #budget: LearntBudget;
  readonly #known: KnownSpans;
  readonly #resources = new KnownObjects();
  readonly #scopes = new KnownObjects();
  readonly #templates = new Map<string, Template>();
  #first: Template = noTemplate();
  /** By key id: the number of the last span that has an attribute with this key. */
  #lastSpanWith = new Uint32Array(1_024);
  #spans = 0;

  constructor(writer: SpanWriter, budget = new LearntBudget()) {
    this.#writer = writer;
    this.#budget = budget;
    this.#known = new KnownSpans(writer, this.#json, budget);
  }

  /**
   * Reads one export request.
   * @param source Bytes in UTF-8.
   * @returns Whether its spans were written. If not, nothing was written.
   */
  scan(source: ByteSource, start: number, end: number): boolean {
    this.#json.source = source;
    const mark = this.#writer.mark();
    try {
      const at = this.#scanRequest(this.#json.skipSpace(start));
      if (at > end || (at < end && this.#json.skipSpace(at) < end)) refuse();
      return true;
    } catch (error) {
      // RangeError: a word was read beyond the end. SyntaxError, DecodeError: a value that is parsed is wrong.
      const isRefused = [Refusal, RangeError, SyntaxError, DecodeError].some((type) => error instanceof type);
      if (!isRefused) throw error;
      this.#writer.rollBack(mark);
      return false;
    }
  }

  /** Refuses other members: they may make it a document of another kind. */
  #scanRequest(start: number): number {
    const at = this.#json.open(start, openBrace);
    if (this.#json.source.bytes[at] === closeBrace) return at + 1;
    const value = this.#skipKey(at, 'resourceSpans') ?? refuse();
    const end = this.#json.skipComma(this.#scanList(value, this.#scanResourceSpans), closeBrace);
    return this.#json.source.bytes[end] === closeBrace ? end + 1 : refuse();
  }

  readonly #scanResourceSpans = (start: number): number => {
    const writer = this.#writer;
    const firstRow = writer.rows;
    let resource: number | null = null;
    let hasScopes = false;
    const end = this.#scanMembers(start, (at, key) => {
      if (key === 'resource' && resource === null) {
        const { last } = this.#resources;
        if (last?.literal?.isAt(this.#json.source, at)) {
          resource = last.id;
          return at + last.literal.length;
        }
        const valueEnd = this.#json.skipValue(at);
        resource = this.#findResource(at, valueEnd);
        return valueEnd;
      }
      if (key === 'scopeSpans' && !hasScopes) {
        hasScopes = true;
        return this.#scanList(at, this.#scanScopeSpans);
      }
      if (unscannedResourceFields.has(key)) refuse();
      return this.#json.skipValue(at);
    });
    if (writer.rows > firstRow) {
      resource ??= writer.addResource(readResource(null));
      writer.columns.resources.fill(resource, firstRow, writer.rows);
    }
    return end;
  };

  readonly #scanScopeSpans = (start: number): number => {
    const writer = this.#writer;
    const firstRow = writer.rows;
    let scope: number | null = null;
    let hasSpans = false;
    const end = this.#scanMembers(start, (at, key) => {
      if (key === 'scope' && scope === null) {
        const { last } = this.#scopes;
        if (last?.literal?.isAt(this.#json.source, at)) {
          scope = last.id;
          return at + last.literal.length;
        }
        const valueEnd = this.#json.skipValue(at);
        scope = this.#findScope(at, valueEnd);
        return valueEnd;
      }
      if (key === 'spans' && !hasSpans) {
        hasSpans = true;
        return this.#scanList(at, this.#scanSpan);
      }
      if (key === 'scope' || key === 'spans' || key === 'instrumentationLibrary') refuse();
      return this.#json.skipValue(at);
    });
    writer.columns.scopes.fill(scope ?? emptyText, firstRow, writer.rows);
    return end;
  };

  #findResource(start: number, end: number): number {
    const known = this.#resources.find(this.#json, start, end);
    if (known !== null) return known;
    const id = this.#writer.addResource(this.#parseResource(start, end));
    this.#resources.add(this.#json, start, end, id);
    return id;
  }

  #parseResource(start: number, end: number): Resource {
    const { attributes = null } = this.#parseObject(start, end);
    if (attributes !== null && !Array.isArray(attributes)) refuse();
    return readResource(attributes);
  }

  #findScope(start: number, end: number): number {
    const known = this.#scopes.find(this.#json, start, end);
    if (known !== null) return known;
    const id = this.#writer.values.add(this.#parseScopeName(start, end), field.scope);
    // A raw id is valid only in this batch.
    if (!isRaw(id)) this.#scopes.add(this.#json, start, end, id);
    return id;
  }

  #parseScopeName(start: number, end: number): string {
    const { name = null } = this.#parseObject(start, end);
    if (name !== null && typeof name !== 'string') refuse();
    return name ?? '';
  }

  #parseObject(start: number, end: number): Readonly<Record<string, unknown>> {
    const value = this.#json.parse(start, end);
    return isObject(value) ? value : refuse();
  }

  readonly #scanSpan = (start: number): number => {
    const known = this.#known.scan(start);
    if (known >= 0) return known;
    this.#known.begin();
    const end = this.#scanUnknownSpan(start);
    this.#known.learn(start, end);
    return end;
  };

  #scanUnknownSpan(start: number): number {
    const json = this.#json;
    const writer = this.#writer;
    const { source } = json;
    const { bytes, view } = source;
    const row = writer.beginRow();
    const { columns } = writer;
    this.#spans += 1;
    let known = 0;
    let startSeconds = 0;
    let startNanos = 0;
    let endSeconds = 0;
    let endNanos = 0;
    let at = json.open(start, openBrace);
    while (bytes[at] !== closeBrace) {
      if (bytes[at] !== quote) refuse();
      const begin = view.getInt32(at + 1, true);
      let bit = 0;
      // The first four bytes of the key as a little-endian word.
      switch (begin) {
        case 0x63617274: // trac
          if (view.getInt32(at + 5, true) === 0x22644965) {
            // eId"
            bit = seen.traceId;
            at = json.skipColon(at + 9);
            if (bytes[at] !== quote || bytes[at + 33] !== quote) refuse();
            readTraceId(view, at + 1, columns.traceIds, row);
            this.#known.note(part.traceId, at + 1, at + 33);
            at += 34;
          } else if (view.getInt32(at + 5, true) === 0x61745365 && keys.traceState.isAt(source, at)) {
            // eSta
            bit = seen.traceState;
            at = this.#scanText(json.skipColon(at + 12), field.traceState);
            this.#known.note(part.traceState, this.#textStart, at - 1);
            columns.traceStates[row] = this.#text;
          }
          break;
        case 0x6e617073: // span
          if (view.getInt32(at + 4, true) !== 0x2264496e) break; // nId"
          bit = seen.spanId;
          at = json.skipColon(at + 8);
          if (bytes[at] !== quote || bytes[at + 17] !== quote) refuse();
          columns.spanIds[row * 2] = readHexWord(view, at + 1);
          columns.spanIds[row * 2 + 1] = readHexWord(view, at + 9);
          if (columns.spanIds[row * 2] === 0 && columns.spanIds[row * 2 + 1] === 0) refuse();
          this.#known.note(part.spanId, at + 1, at + 17);
          at += 18;
          break;
        case 0x65726170: // pare
          if (!keys.parentSpanId.isAt(source, at)) break;
          bit = seen.parentSpanId;
          at = json.skipColon(at + 14);
          if (bytes[at] !== quote) refuse();
          if (bytes[at + 1] === quote) {
            at += 2;
            break;
          }
          if (bytes[at + 17] !== quote) refuse();
          columns.parentIds[row * 2] = readHexWord(view, at + 1);
          columns.parentIds[row * 2 + 1] = readHexWord(view, at + 9);
          this.#known.note(part.parentId, at + 1, at + 17);
          at += 18;
          break;
        case 0x67616c66: // flag
          if (!isAt(bytes, at + 5, 's"')) break;
          bit = seen.flags;
          at = this.#scanNatural(json.skipColon(at + 7));
          if (this.#natural > 0xffff_ffff) refuse();
          columns.flags[row] = this.#natural;
          break;
        case 0x656d616e: // name
          if (bytes[at + 5] !== quote) break;
          bit = seen.name;
          at = this.#scanText(json.skipColon(at + 6), field.name);
          this.#known.note(part.name, this.#textStart, at - 1);
          columns.names[row] = this.#text;
          break;
        case 0x646e696b: // kind
          if (bytes[at + 5] !== quote) break;
          bit = seen.kind;
          at = this.#scanKind(json.skipColon(at + 6));
          columns.kinds[row] = this.#natural;
          break;
        case 0x72617473: // star
          if (!keys.startTimeUnixNano.isAt(source, at)) break;
          bit = seen.start;
          at = this.#scanTime(json.skipColon(at + 19), part.start);
          startSeconds = this.#seconds;
          startNanos = this.#nanoseconds;
          break;
        case 0x54646e65: // endT
          if (!keys.endTimeUnixNano.isAt(source, at)) break;
          bit = seen.end;
          at = this.#scanTime(json.skipColon(at + 17), part.finish);
          endSeconds = this.#seconds;
          endNanos = this.#nanoseconds;
          break;
        case 0x72747461: // attr
          if (!keys.attributes.isAt(source, at)) break;
          bit = seen.attributes;
          at = this.#scanAttributes(json.skipColon(at + 12));
          break;
        case 0x6b6e696c: // link
          if (!isAt(bytes, at + 5, 's"')) break;
          bit = seen.links;
          at = this.#scanList(json.skipColon(at + 7), this.#scanLink);
          break;
        case 0x74617473: // stat
          if (!keys.status.isAt(source, at)) break;
          bit = seen.status;
          at = this.#scanStatus(json.skipColon(at + 8), row);
          break;
        case 0x706f7264: // drop
          if (keys.droppedLinks.isAt(source, at)) {
            bit = seen.droppedLinks;
            at = this.#scanDropped(json.skipColon(at + 19), droppedCounts.links);
          } else if (keys.droppedAttributes.isAt(source, at)) {
            bit = seen.droppedAttributes;
            at = this.#scanDropped(json.skipColon(at + 24), droppedCounts.attributes);
          }
          break;
      }
      if (bit === 0) at = this.#skipMember(at);
      else if ((known & bit) !== 0) refuse();
      known |= bit;
      at = json.skipComma(at, closeBrace);
    }
    if ((known & 3) !== 3) refuse();
    writer.setDecimalTimes(startSeconds, startNanos, endSeconds, endNanos);
    writer.commit();
    return at + 1;
  }

  #seconds = 0;
  #nanoseconds = 0;

  /** Reads a time, a string of digits: the last nine are nanoseconds. */
  #scanTime(at: number, which: typeof part.start | typeof part.finish): number {
    const { bytes, view } = this.#json.source;
    if (bytes[at] !== quote) refuse();
    const start = at + 1;
    if (bytes[start + timeDigits] === quote) {
      this.#seconds = readSeconds(view, start);
      this.#nanoseconds = readNanoseconds(view, start);
      this.#known.note(which, start, start + timeDigits);
      return start + timeDigits + 1;
    }
    this.#known.giveUp();
    const end = this.#json.skipDigits(start);
    if (bytes[end] !== quote || end - start > timeDigits) refuse();
    const split = Math.max(start, end - 9);
    this.#seconds = readDigits(bytes, start, split);
    this.#nanoseconds = readDigits(bytes, split, end);
    return end + 1;
  }

  #natural = 0;

  /** Reads a number of up to ten digits into `#natural`. */
  #scanNatural(start: number): number {
    const { bytes } = this.#json.source;
    const end = this.#json.skipNumber(start);
    if (this.#json.skipDigits(start) !== end || end - start > 10) refuse();
    this.#natural = readDigits(bytes, start, end);
    return end;
  }

  /** A count of 0, which nearly all spans have, belongs to the layout. A span with another count is not learnt. */
  #scanDropped(start: number, name: string): number {
    const end = this.#scanNatural(start);
    if (this.#natural === 0) return end;
    this.#known.giveUp();
    const { values } = this.#writer;
    const key = values.add(name, field.key);
    this.#add(key, values.add(this.#natural, attributeField(key)));
    return end;
  }

  #scanKind(at: number): number {
    if (this.#json.source.bytes[at] !== quote) {
      const end = this.#scanNatural(at);
      this.#natural = spanKinds.indexOf(toSpanKind(this.#natural));
      return end;
    }
    const end = this.#json.findQuote(at + 1);
    this.#natural = spanKinds.indexOf(readSpanKind(this.#json.text(at + 1, end)));
    return end + 1;
  }

  #text = 0;
  #textStart = 0;

  /** Reads a string, and sets `#text` to its id. */
  #scanText(at: number, ofField: number): number {
    const json = this.#json;
    const { source } = json;
    if (source.bytes[at] !== quote) refuse();
    this.#textStart = at + 1;
    json.hasEscape = false;
    const end = json.findQuote(at + 1);
    this.#text = json.hasEscape
      ? this.#writer.values.add(String(json.parse(at, end + 1)), ofField)
      : this.#writer.values.addBytes(source, at + 1, end, valueType.text, ofField);
    return end + 1;
  }

  #scanAttributes(start: number): number {
    const json = this.#json;
    const { source } = json;
    const { bytes } = source;
    let before = this.#first;
    let at = json.open(start, openBracket);
    while (bytes[at] !== closeBracket) {
      let template = before.next;
      if (template === null || !template.literal.isAt(source, at)) {
        template = before.other;
        if (template === null || !template.literal.isAt(source, at)) template = this.#findTemplate(at);
        before.other = before.next;
        before.next = template;
      }
      const end = template === null ? -1 : this.#scanScalar(template, at + template.literal.length);
      if (end < 0) {
        this.#known.giveUp();
        at = this.#parseAttribute(at);
      } else if (bytes[end] === closeBrace && bytes[end + 1] === closeBrace) at = end + 2;
      else {
        const closed = json.skipSpace(end);
        const next = json.skipSpace(closed + 1);
        if (bytes[closed] !== closeBrace || bytes[next] !== closeBrace) refuse();
        at = next + 1;
      }
      if (template !== null) before = template;
      at = json.skipComma(at, closeBracket);
    }
    return at + 1;
  }

  /** @returns The offset after the value; -1 if the attribute must be parsed, and then nothing was added. */
  #scanScalar(template: Template, at: number): number {
    const { kind, key, isPresenceOnly } = template;
    const json = this.#json;
    const { bytes } = json.source;
    const { values } = this.#writer;
    if (kind === 'text') {
      if (bytes[at] !== quote) return -1;
      if (key === null || isPresenceOnly) {
        const end = json.findQuote(at + 1);
        this.#known.note(key === null ? part.skippedText : part.presence, at + 1, end);
        if (key !== null) this.#add(key, emptyText);
        return end + 1;
      }
      if (template.value >= 0) {
        const same = values.matchInterned(template.value, json.source, at + 1);
        if (bytes[same] === quote) {
          this.#known.note(part.text, at + 1, same, key);
          this.#add(key, template.value);
          return same + 1;
        }
      }
      const end = this.#scanText(at, attributeField(key));
      this.#known.note(part.text, at + 1, end - 1, key);
      template.value = json.hasEscape || isRaw(this.#text) ? -1 : this.#text;
      this.#add(key, this.#text);
      return end;
    }
    if (kind === 'integer') {
      if (isPresenceOnly) return -1;
      const start = bytes[at] === quote ? at + 1 : at;
      const end = json.skipInteger(start);
      if (end < 0 || (start > at ? bytes[end] !== quote : isNumberGoingOn(bytes[end] ?? 0))) return -1;
      this.#known.note(key === null ? part.skippedInteger : part.integer, start, end, key ?? 0);
      if (
        key !== null &&
        template.value >= 0 &&
        values.matchInterned(template.value, json.source, start) === end
      ) {
        this.#add(key, template.value);
      } else if (key !== null) {
        const id = values.addBytes(json.source, start, end, valueType.number, attributeField(key));
        template.value = isRaw(id) ? -1 : id;
        this.#add(key, id);
      }
      return start > at ? end + 1 : end;
    }
    if (key !== null) return -1;
    if (kind === 'boolean') return json.skipWord(at, bytes[at] === 0x74 ? 'true' : 'false');
    if (bytes[at] === quote) return -1;
    const end = json.skipNumber(at);
    this.#known.note(part.skippedNumber, at, end);
    return end;
  }

  /** Reads an attribute as the strict decoder does. */
  #parseAttribute(at: number): number {
    const end = this.#json.skipValue(at);
    for (const [name, value] of readAttributes([this.#json.parse(at, end)], '')) {
      if (!isKept(name)) continue;
      const { values } = this.#writer;
      const key = values.add(name, field.key);
      this.#add(key, presenceOnly.has(name) ? emptyText : values.add(value, attributeField(key)));
    }
    return end;
  }

  /** Refuses a second attribute with the same key. The last one counts, which the strict decoder sees to; this is rare. */
  #add(key: number, value: number): void {
    if (isRaw(key)) refuse();
    this.#lastSpanWith = grown(this.#lastSpanWith, key + 1);
    if (this.#lastSpanWith[key] === this.#spans) refuse();
    this.#lastSpanWith[key] = this.#spans;
    this.#writer.addAttribute(key, value);
  }

  /** @returns Null if the attribute must be parsed. */
  #findTemplate(start: number): Template | null {
    const json = this.#json;
    const { bytes } = json.source;
    const name = this.#skipKey(json.open(start, openBrace), 'key');
    if (name === null || bytes[name] !== quote) return null;
    json.hasEscape = false;
    const nameEnd = json.findQuote(name + 1);
    if (json.hasEscape) return null;
    const second = json.skipComma(nameEnd + 1, closeBrace);
    const value = this.#skipKey(second, 'value');
    if (value === null || bytes[value] !== openBrace) return null;
    const type = json.open(value, openBrace);
    if (bytes[type] !== quote) return null;
    const typeEnd = json.findQuote(type + 1);
    const kind = scalarKinds.get(json.text(type + 1, typeEnd));
    if (kind === undefined) return null;
    const end = json.skipColon(typeEnd + 1);
    const text = json.key(start, end);
    const known = this.#templates.get(text);
    if (known !== undefined) return known;
    if (this.#templates.size >= mostTemplates || !this.#budget.take(end - start, 0)) return null;
    return this.#addTemplate(text, json.text(name + 1, nameEnd), kind);
  }

  #addTemplate(text: string, name: string, kind: ScalarKind): Template {
    const key = isKept(name) ? this.#writer.values.add(name, field.key) : null;
    const literal = new Literal(Buffer.from(text, 'latin1'));
    const template: Template = {
      literal,
      kind,
      key,
      isPresenceOnly: presenceOnly.has(name),
      value: -1,
      next: null,
      other: null,
    };
    this.#templates.set(text, template);
    return template;
  }

  readonly #scanLink = (start: number): number => {
    this.#known.giveUp();
    const { view, bytes } = this.#json.source;
    const words = new Int32Array(6);
    let ids = 0;
    const end = this.#scanMembers(start, (at, key) => {
      const length = key === 'traceId' ? 32 : key === 'spanId' ? 16 : 0;
      if (length === 0) return this.#json.skipValue(at);
      const first = length === 32 ? 0 : 4;
      if (bytes[at] !== quote || bytes[at + length + 1] !== quote || (ids & length) !== 0) refuse();
      ids |= length;
      for (let digit = 0; digit < length; digit += 8)
        words[first + digit / 8] = readHexWord(view, at + 1 + digit);
      return at + length + 2;
    });
    const [t0 = 0, t1 = 0, t2 = 0, t3 = 0, s0 = 0, s1 = 0] = words;
    if ((t0 | t1 | t2 | t3) === 0 || (s0 | s1) === 0) refuse();
    this.#writer.addLink(words, false);
    return end;
  };

  #scanStatus(start: number, row: number): number {
    const { bytes } = this.#json.source;
    if (bytes[start] === openBrace && bytes[start + 1] === closeBrace) return start + 2;
    const { columns } = this.#writer;
    let hasCode = false;
    let hasMessage = false;
    return this.#scanMembers(start, (at, key) => {
      if (key === 'code') {
        if (hasCode) refuse();
        hasCode = true;
        if (bytes[at] === quote) {
          const end = this.#json.findQuote(at + 1);
          columns.statuses[row] = statusCodes.indexOf(readStatusCode(this.#json.text(at + 1, end)));
          return end + 1;
        }
        const end = this.#scanNatural(at);
        columns.statuses[row] = statusCodes.indexOf(toStatusCode(this.#natural));
        return end;
      }
      if (key !== 'message') return this.#skipValue(at);
      if (hasMessage) refuse();
      hasMessage = true;
      const end = this.#scanText(at, field.statusMessage);
      this.#known.note(part.statusMessage, this.#textStart, end - 1);
      columns.statusMessages[row] = this.#text;
      return end;
    });
  }

  /** @param scan Takes the offset of an element and returns the offset after it. */
  #scanList(start: number, scan: (at: number) => number): number {
    const json = this.#json;
    const { bytes } = json.source;
    let at = json.open(start, openBracket);
    while (bytes[at] !== closeBracket) at = json.skipComma(scan(at), closeBracket);
    return at + 1;
  }

  /** @param scan Takes the offset of a member's value and its key, and returns the offset after the value. */
  #scanMembers(start: number, scan: (at: number, key: string) => number): number {
    const json = this.#json;
    const { bytes } = json.source;
    let at = json.open(start, openBrace);
    while (bytes[at] !== closeBrace) {
      if (bytes[at] !== quote) refuse();
      json.hasEscape = false;
      const end = json.findQuote(at + 1);
      // A key with escapes may be one that the caller reads.
      if (json.hasEscape) refuse();
      at = json.skipComma(scan(json.skipColon(end + 1), json.key(at + 1, end)), closeBrace);
    }
    return at + 1;
  }

  /** Skips a member that is not read. */
  #skipMember(at: number): number {
    const json = this.#json;
    json.hasEscape = false;
    const end = json.findQuote(at + 1);
    if (json.hasEscape) refuse();
    return this.#skipValue(json.skipColon(end + 1));
  }

  /** Skips a value in a span, and records it as a part. */
  #skipValue(at: number): number {
    const end = this.#json.skipValue(at);
    this.#known.note(part.skippedValue, at, end);
    return end;
  }

  /** @returns The offset of the value; null if the key is another. */
  #skipKey(at: number, key: string): number | null {
    const { bytes } = this.#json.source;
    if (bytes[at] !== quote || !isAt(bytes, at + 1, key) || bytes[at + key.length + 1] !== quote) return null;
    return this.#json.skipColon(at + key.length + 2);
  }
}

interface KnownObject {
  readonly id: number;
  /** Null if it is not an object: only an object's bytes show where it ends. */
  readonly literal: Literal | null;
}

/** Resources or scopes that were read before, by their text: most objects equal one of them. */
class KnownObjects {
  last: KnownObject | null = null;
  readonly #byText = new Map<string, KnownObject>();

  find(json: JsonBytes, start: number, end: number): number | null {
    const known = this.#byText.get(json.key(start, end));
    if (known === undefined) return null;
    this.last = known;
    return known.id;
  }

  add(json: JsonBytes, start: number, end: number, id: number): void {
    const bytes = json.source.bytes.subarray(start, end);
    this.last = { id, literal: bytes[0] === openBrace ? new Literal(bytes) : null };
    this.#byText.set(json.key(start, end), this.last);
  }
}

function noTemplate(): Template {
  const none = { key: null, isPresenceOnly: false, value: -1, next: null, other: null };
  return { literal: new Literal(new Uint8Array()), kind: 'text', ...none };
}

function quoted(key: string): Literal {
  return new Literal(Buffer.from(`"${key}"`));
}

function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1)
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

function readDigits(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at += 1) number = number * 10 + ((bytes[at] ?? 0) - 0x30);
  return number;
}

function isNumberGoingOn(byte: number): boolean {
  return byte === 0x2e || byte === 0x65 || byte === 0x45;
}
