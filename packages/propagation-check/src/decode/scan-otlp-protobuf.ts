import { fromBinary } from '@bufbuild/protobuf';
import { type ByteSource, grown } from '../span/byte-source.ts';
import { droppedCounts } from '../span/dropped-counts.ts';
import { isKept, presenceOnly } from '../span/kept-attributes.ts';
import { spanKinds, statusCodes } from '../span/span.ts';
import { attributeField, field, type SpanWriter } from '../span/span-writer.ts';
import { valueType } from '../span/value-arena.ts';
import { emptyText, isRaw } from '../span/value-id.ts';
import {
  InstrumentationScopeSchema,
  KeyValueSchema,
} from './generated/opentelemetry/proto/common/v1/common_pb.js';
import { ResourceSchema } from './generated/opentelemetry/proto/resource/v1/resource_pb.js';
import { Refusal, refuse } from './json-bytes.ts';
import { KnownProtobufSpans, longestNatural, type Part, part } from './known-protobuf-spans.ts';
import { LearntBudget } from './learnt-budget.ts';
import { Literal } from './literal.ts';
import { toSpanKind, toStatusCode } from './otlp-fields.ts';
import { toAttributes, toResource } from './otlp-protobuf.ts';
import { anyValue, event, keyValue, link, statusShape, tags } from './otlp-protobuf-shapes.ts';
import { ProtobufBytes, wire } from './protobuf-bytes.ts';

/** The number of names that are remembered: hostile data may have any number of distinct names. */
const mostNames = 4_096;

/** Larger counts lose bits in the strict decoder. */
const largestUint32 = 0xffff_ffff;

/** The name of an attribute, with its tag and length. */
interface Name {
  readonly bytes: ByteSource;
  readonly length: number;
  /** Null where the attribute is not kept. */
  readonly key: number | null;
  readonly isPresenceOnly: boolean;
  /** Id of the attribute's last value. */
  value: number;
  /** The last value if it is an integer; otherwise -1. */
  integer: number;
  /** The two names that followed this one most recently. */
  next: Name | null;
  other: Name | null;
}

/**
 * Reads OTLP export requests in protobuf from bytes into columns, without creating messages. Like `OtlpJsonScanner` it refuses everything
 * unusual or wrong, and the strict decoder (`decodeOtlpProtobuf`) then reads the same bytes.
 */
export class OtlpProtobufScanner {
  readonly #writer: SpanWriter;
  readonly #wire = new ProtobufBytes({ bytes: new Uint8Array(), view: new DataView(new ArrayBuffer(0)) });
  readonly #budget: LearntBudget;
  readonly #known: KnownProtobufSpans;
  readonly #resources = new KnownMessages();
  readonly #scopes = new KnownMessages();
  readonly #names = new Map<string, Name>();
  readonly #first: Name = noName();
  /** By key id: the number of the last span that has an attribute with this key. */
  #lastSpanWith = new Uint32Array(1_024);
  #spans = 0;

  constructor(writer: SpanWriter, budget = new LearntBudget()) {
    this.#writer = writer;
    this.#budget = budget;
    this.#known = new KnownProtobufSpans(writer, this.#wire, budget);
  }

  /** Reads one export request. @returns Whether its spans were written. If not, nothing was written. */
  scan(source: ByteSource, start: number, end: number): boolean {
    this.#wire.source = source;
    this.#wire.at = start;
    const mark = this.#writer.mark();
    try {
      this.#scanRequest(end);
      return true;
    } catch (error) {
      // RangeError: a word was read beyond the end.
      if (!(error instanceof Refusal) && !(error instanceof RangeError)) throw error;
      this.#writer.rollBack(mark);
      return false;
    }
  }

  #scanRequest(end: number): void {
    const input = this.#wire;
    while (input.at < end) {
      const tag = input.tag();
      if (tag === tags.request.resourceSpans) this.#scanResourceSpans(input.length(end));
      else if (tag < 16) refuse();
      else input.skipUnknown(tag, end);
    }
    if (input.at !== end) refuse();
  }

  #scanResourceSpans(end: number): void {
    const input = this.#wire;
    const writer = this.#writer;
    const firstRow = writer.rows;
    let resource: number | null = null;
    while (input.at < end) {
      const tag = input.tag();
      if (tag === tags.resourceSpans.scopeSpans) this.#scanScopeSpans(input.length(end));
      else if (tag === tags.resourceSpans.schemaUrl) input.skipText(input.length(end));
      else if (tag === tags.resourceSpans.resource && resource === null)
        resource = this.#readResource(input.length(end));
      else if (tag < 32) refuse();
      else input.skipUnknown(tag, end);
    }
    if (input.at !== end) refuse();
    if (writer.rows === firstRow) return;
    resource ??= writer.addResource(toResource([]));
    writer.columns.resources.fill(resource, firstRow, writer.rows);
  }

  #scanScopeSpans(end: number): void {
    const input = this.#wire;
    const writer = this.#writer;
    const firstRow = writer.rows;
    let scope: number | null = null;
    while (input.at < end) {
      const tag = input.tag();
      if (tag === tags.scopeSpans.spans) this.#scanSpan(input.length(end));
      else if (tag === tags.scopeSpans.schemaUrl) input.skipText(input.length(end));
      else if (tag === tags.scopeSpans.scope && scope === null) scope = this.#readScope(input.length(end));
      else if (tag < 32) refuse();
      else input.skipUnknown(tag, end);
    }
    if (input.at !== end) refuse();
    writer.columns.scopes.fill(scope ?? emptyText, firstRow, writer.rows);
  }

  #readResource(end: number): number {
    const input = this.#wire;
    const start = input.at;
    input.at = end;
    const known = this.#resources.find(input.source, start, end);
    if (known !== null) return known;
    const message = decode(() => fromBinary(ResourceSchema, input.source.bytes.subarray(start, end)));
    const id = this.#writer.addResource(toResource(message.attributes));
    this.#resources.add(input.source, start, end, id);
    return id;
  }

  #readScope(end: number): number {
    const input = this.#wire;
    const start = input.at;
    input.at = end;
    const known = this.#scopes.find(input.source, start, end);
    if (known !== null) return known;
    const { name } = decode(() =>
      fromBinary(InstrumentationScopeSchema, input.source.bytes.subarray(start, end)),
    );
    const id = this.#writer.values.add(name, field.scope);
    // A raw id is valid only in this batch.
    if (!isRaw(id)) this.#scopes.add(input.source, start, end, id);
    return id;
  }

  #scanSpan(end: number): void {
    const start = this.#wire.at;
    if (this.#known.scan(start, end)) {
      this.#wire.at = end;
      return;
    }
    this.#wire.at = start;
    this.#known.begin();
    this.#scanNewSpan(end);
    this.#known.learn(start, end);
  }

  #scanNewSpan(end: number): void {
    const input = this.#wire;
    const known = this.#known;
    const writer = this.#writer;
    const { view } = input.source;
    const row = writer.beginRow();
    const { columns } = writer;
    this.#spans += 1;
    let seen = 0;
    let startHigh = 0;
    let startLow = 0;
    let endHigh = 0;
    let endLow = 0;
    let before = this.#first;
    while (input.at < end) {
      const tag = input.tag();
      const number = Math.floor(tag / 8);
      const { at } = input;
      if (number === 9 || number === 11 || number === 13) {
        if (tag % 8 !== wire.bytes) refuse();
        const messageEnd = input.length(end);
        if (number === 9) before = this.#scanAttribute(before, at, messageEnd);
        else if (number === 11) {
          known.note(part.event, at, messageEnd);
          input.skipMessage(event, messageEnd);
        } else {
          known.giveUp();
          this.#scanLink(messageEnd);
        }
        continue;
      }
      if (number > 16) {
        input.skipUnknown(tag, end);
        continue;
      }
      // The last of two equal fields counts, which the strict decoder sees to.
      if ((seen & (1 << number)) !== 0) refuse();
      seen |= 1 << number;
      switch (tag) {
        case 1 * 8 + wire.bytes: {
          if (input.length(end) - input.at !== 16) refuse();
          const start = input.at;
          for (let word = 0; word < 4; word += 1)
            columns.traceIds[row * 4 + word] = view.getInt32(start + word * 4);
          if (
            (view.getInt32(start) |
              view.getInt32(start + 4) |
              view.getInt32(start + 8) |
              view.getInt32(start + 12)) ===
            0
          )
            refuse();
          input.at += 16;
          known.note(part.traceId, start, input.at);
          break;
        }
        case 2 * 8 + wire.bytes:
          if (input.length(end) - input.at !== 8) refuse();
          columns.spanIds[row * 2] = view.getInt32(input.at);
          columns.spanIds[row * 2 + 1] = view.getInt32(input.at + 4);
          if ((view.getInt32(input.at) | view.getInt32(input.at + 4)) === 0) refuse();
          known.note(part.spanId, input.at, input.at + 8);
          input.at += 8;
          break;
        case 3 * 8 + wire.bytes:
          columns.traceStates[row] = this.#scanText(input.length(end), field.traceState);
          known.note(part.traceState, at, input.at, columns.traceStates[row]);
          break;
        case 4 * 8 + wire.bytes: {
          const length = input.length(end) - input.at;
          if (length === 0) break;
          if (length !== 8) refuse();
          columns.parentIds[row * 2] = view.getInt32(input.at);
          columns.parentIds[row * 2 + 1] = view.getInt32(input.at + 4);
          known.note(part.parentId, input.at, input.at + 8);
          input.at += 8;
          break;
        }
        case 5 * 8 + wire.bytes:
          columns.names[row] = this.#scanText(input.length(end), field.name);
          known.note(part.name, at, input.at, columns.names[row]);
          break;
        case 6 * 8 + wire.varint:
          columns.kinds[row] = spanKinds.indexOf(toSpanKind(this.#smallVarint()));
          break;
        case 7 * 8 + wire.fixed64:
          startLow = view.getUint32(at, true);
          startHigh = view.getUint32(at + 4, true);
          input.at += 8;
          known.note(part.start, at, input.at);
          break;
        case 8 * 8 + wire.fixed64:
          endLow = view.getUint32(at, true);
          endHigh = view.getUint32(at + 4, true);
          input.at += 8;
          known.note(part.finish, at, input.at);
          break;
        case 15 * 8 + wire.bytes:
          this.#scanStatus(input.length(end), row);
          break;
        case 16 * 8 + wire.fixed32:
          columns.flags[row] = view.getInt32(at, true);
          input.at += 4;
          break;
        case 10 * 8 + wire.varint:
          this.#scanDropped(droppedCounts.attributes);
          break;
        case 12 * 8 + wire.varint:
          input.skipVarint();
          break;
        case 14 * 8 + wire.varint:
          this.#scanDropped(droppedCounts.links);
          break;
        default:
          refuse();
      }
    }
    if (input.at !== end || (seen & 0b110) !== 0b110) refuse();
    writer.setBinaryTimes(startHigh, startLow, endHigh, endLow);
    writer.commit();
  }

  #scanDropped(name: string): void {
    const count = this.#wire.varint();
    if (count > largestUint32) refuse();
    if (count === 0) return;
    this.#known.giveUp();
    const { values } = this.#writer;
    const key = values.add(name, field.key);
    this.#add(key, values.add(count, attributeField(key)));
  }

  /** Reads an enum. Negative numbers, which have ten bytes, are left to the strict decoder. */
  #smallVarint(): number {
    const value = this.#wire.varint();
    return value < 0x80 ? value : refuse();
  }

  #scanText(end: number, ofField: number): number {
    const input = this.#wire;
    const start = input.at;
    input.skipText(end);
    return this.#writer.values.addBytes(input.source, start, end, valueType.text, ofField);
  }

  /**
   * @param tagEnd The offset after the tag of the attribute.
   * @returns The name of the attribute, which predicts the next one.
   */
  #scanAttribute(before: Name, tagEnd: number, end: number): Name {
    const input = this.#wire;
    const start = input.at;
    let name = before.next;
    if (name === null || !isAt(name, input.source, start)) {
      name = before.other;
      if (name === null || !isAt(name, input.source, start)) name = this.#findName(start, end);
      before.other = before.next;
      before.next = name;
    }
    if (name !== null) {
      const nameTo = start + name.length + 1;
      const which = this.#scanScalar(name, nameTo - 1, end);
      if (which !== null) {
        const { key, value } = name;
        const noted = { which, from: tagEnd, to: end, nameFrom: start, nameTo, key: key ?? 0 };
        this.#known.noteAttribute({ ...noted, value: which === part.presence ? emptyText : value });
        // A tag may be encoded in more bytes than needed.
        if (input.source.bytes[nameTo - 1] !== tags.keyValue.value) this.#known.giveUp();
        return name;
      }
    }
    this.#decodeAttribute(tagEnd, start, end);
    return name ?? before;
  }

  /** Adds the value. The id of a text or an integer is then in `name.value`. @returns How it was read; null if nothing was added. */
  #scanScalar(name: Name, start: number, end: number): Part | null {
    const input = this.#wire;
    const { key } = name;
    input.at = start;
    if (start === end || input.tag() !== tags.keyValue.value || input.length(end) !== end) return null;
    if (key === null || name.isPresenceOnly) {
      input.skipMessage(anyValue, end);
      if (key === null) return part.skipped;
      this.#add(key, emptyText);
      return part.presence;
    }
    if (input.at === end) return null;
    const tag = input.tag();
    if (tag === tags.anyValue.text) {
      if (input.length(end) !== end) return null;
      this.#scanTextValue(name, attributeField(key), end);
      this.#add(key, name.value);
      return part.text;
    }
    // A negative number has ten bytes, and is left to `#decodeAttribute`.
    if (tag !== tags.anyValue.integer || end - input.at > longestNatural) return null;
    const integer = input.varint();
    if (input.at !== end) return null;
    if (isRaw(name.value) || name.integer !== integer) {
      name.value = this.#writer.values.addNatural(integer, attributeField(key));
      name.integer = integer;
    }
    this.#add(key, name.value);
    return part.integer;
  }

  #scanTextValue(name: Name, ofField: number, end: number): void {
    const input = this.#wire;
    const { values } = this.#writer;
    if (
      !isRaw(name.value) &&
      name.integer < 0 &&
      values.matchInterned(name.value, input.source, input.at) === end
    ) {
      input.at = end;
      return;
    }
    name.value = this.#scanText(end, ofField);
    name.integer = -1;
  }

  /** Reads an attribute as the strict decoder does. */
  #decodeAttribute(tagEnd: number, start: number, end: number): void {
    const input = this.#wire;
    // This limits the depth of the value before it is decoded.
    input.at = start;
    input.skipMessage(keyValue, end);
    const message = decode(() => fromBinary(KeyValueSchema, input.source.bytes.subarray(start, end)));
    for (const [name, attribute] of toAttributes([message])) {
      if (!isKept(name)) {
        this.#known.giveUp();
        continue;
      }
      const { values } = this.#writer;
      const key = values.add(name, field.key);
      const value = presenceOnly.has(name) ? emptyText : values.add(attribute, attributeField(key));
      this.#add(key, value);
      const noted = { which: part.other, from: tagEnd, to: end, nameFrom: start, nameTo: start };
      this.#known.noteAttribute({ ...noted, key, value });
    }
  }

  /** Refuses a second attribute with the same key. The last one counts, which the strict decoder sees to; this is rare. */
  #add(key: number, value: number): void {
    if (isRaw(key)) refuse();
    this.#lastSpanWith = grown(this.#lastSpanWith, key + 1);
    if (this.#lastSpanWith[key] === this.#spans) refuse();
    this.#lastSpanWith[key] = this.#spans;
    this.#writer.addAttribute(key, value);
  }

  /** @returns Null if the attribute does not begin with its name, or no more names can be remembered. */
  #findName(start: number, end: number): Name | null {
    const input = this.#wire;
    if (start === end || input.tag() !== tags.keyValue.key) return null;
    const nameEnd = input.length(end);
    const nameStart = input.at;
    input.skipText(nameEnd);
    const { bytes } = input.source;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const text = buffer.toString('latin1', start, nameEnd);
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (this.#names.size >= mostNames || !this.#budget.take(nameEnd - start, 0)) return null;
    const name = buffer.toString('utf8', nameStart, nameEnd);
    const key = isKept(name) ? this.#writer.values.add(name, field.key) : null;
    const own = new Uint8Array(bytes.subarray(start, nameEnd));
    const added: Name = {
      bytes: { bytes: own, view: new DataView(own.buffer) },
      ...{ length: own.length, key, isPresenceOnly: presenceOnly.has(name) },
      ...{ value: -1, integer: -1, next: null, other: null },
    };
    this.#names.set(text, added);
    return added;
  }

  #scanLink(end: number): void {
    const input = this.#wire;
    const start = input.at;
    input.skipMessage(link, end);
    const words = new Int32Array(6);
    let seen = 0;
    input.at = start;
    while (input.at < end) {
      const tag = input.tag();
      const number = Math.floor(tag / 8);
      if (number > 2) {
        input.skipUnknown(tag, end);
        continue;
      }
      const count = number === 1 ? 4 : 2;
      const first = number === 1 ? 0 : 4;
      if (input.length(end) - input.at !== count * 4 || (seen & number) !== 0) refuse();
      seen |= number;
      for (let word = 0; word < count; word += 1)
        words[first + word] = input.source.view.getInt32(input.at + word * 4);
      input.at += count * 4;
    }
    // The strict decoder leaves out a link without a span context.
    const [t0 = 0, t1 = 0, t2 = 0, t3 = 0, s0 = 0, s1 = 0] = words;
    if ((t0 | t1 | t2 | t3) === 0 || (s0 | s1) === 0) refuse();
    this.#writer.addLink(words, false);
  }

  #scanStatus(end: number, row: number): void {
    const input = this.#wire;
    const { columns } = this.#writer;
    const start = input.at;
    input.skipMessage(statusShape, end);
    input.at = start;
    let seen = 0;
    while (input.at < end) {
      const tag = input.tag();
      if (tag === tags.status.code || tag === tags.status.message) {
        if ((seen & tag) === tag) refuse();
        seen |= tag;
      }
      if (tag === tags.status.code)
        columns.statuses[row] = statusCodes.indexOf(toStatusCode(this.#smallVarint()));
      else if (tag === tags.status.message) {
        this.#known.giveUp();
        columns.statusMessages[row] = this.#scanText(input.length(end), field.statusMessage);
      } else input.skipUnknown(tag, end);
    }
  }
}

/** The number of recent messages that are compared one by one: often one Collector serves no more services. */
const mostRecent = 32;

interface KnownMessage {
  readonly literal: Literal;
  readonly id: number;
}

/** Messages that were read before, by their bytes. */
class KnownMessages {
  readonly #recent: KnownMessage[] = [];
  #oldest = 0;
  readonly #byBytes = new Map<string, number>();

  find(source: ByteSource, start: number, end: number): number | null {
    for (const { literal, id } of this.#recent)
      if (literal.length === end - start && literal.isAt(source, start)) return id;
    const id = this.#byBytes.get(toKey(source, start, end)) ?? null;
    if (id !== null) this.#remember(source, start, end, id);
    return id;
  }

  add(source: ByteSource, start: number, end: number, id: number): void {
    this.#byBytes.set(toKey(source, start, end), id);
    this.#remember(source, start, end, id);
  }

  #remember({ bytes }: ByteSource, start: number, end: number, id: number): void {
    this.#recent[this.#oldest] = { literal: new Literal(bytes.subarray(start, end)), id };
    this.#oldest = (this.#oldest + 1) % mostRecent;
  }
}

/** One character for each byte. */
function toKey({ bytes }: ByteSource, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** Turns an error into a refusal: the strict decoder throws its own error for the same bytes. */
function decode<T>(read: () => T): T {
  try {
    return read();
  } catch {
    return refuse();
  }
}

function noName(): Name {
  const bytes = { bytes: new Uint8Array(), view: new DataView(new ArrayBuffer(0)) };
  return {
    bytes,
    length: 0,
    key: null,
    isPresenceOnly: false,
    value: -1,
    integer: -1,
    next: null,
    other: null,
  };
}

function isAt({ bytes: { bytes, view }, length }: Name, source: ByteSource, start: number): boolean {
  if (start + length > source.bytes.length) return false;
  let index = 0;
  for (const words = length - 3; index < words; index += 4)
    if (view.getInt32(index) !== source.view.getInt32(start + index)) return false;
  for (; index < length; index += 1) if (bytes[index] !== source.bytes[start + index]) return false;
  return true;
}
