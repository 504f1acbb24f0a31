import { attributeField, field, type SpanWriter } from '../span/span-writer.ts';
import { valueType } from '../span/value-arena.ts';
import { emptyText, isRaw } from '../span/value-id.ts';
import { refuse } from './json-bytes.ts';
import { type LearntBudget, mostNext } from './learnt-budget.ts';
import { Literal } from './literal.ts';
import { anyValue, event, tags } from './otlp-protobuf-shapes.ts';
import type { ProtobufBytes, Shape } from './protobuf-bytes.ts';
import { commitWith, readConstants, type SpanConstants } from './span-constants.ts';

/** The parts in which spans of the same layout differ. */
export const part = {
  end: 0,
  traceId: 1,
  spanId: 2,
  parentId: 3,
  start: 4,
  finish: 5,
  name: 6,
  traceState: 7,
  /** The parts up to `skipped` are attributes. */
  text: 8,
  integer: 9,
  /** Another type of value, recognised only by its exact bytes. */
  other: 10,
  presence: 11,
  /** An attribute that is not kept. */
  skipped: 12,
  event: 13,
} as const;

export type Part = (typeof part)[keyof typeof part];

/** The sizes in bytes of the parts that have a fixed size. */
const widths: readonly number[] = [0, 16, 8, 8, 8, 8];

/** How often a step may replace its known value: one that changes more often is not worth it. */
const mostRenewals = 4;

/** A step of a layout: the bytes up to a part, and the part. */
interface Step {
  readonly part: Part;
  /** The bytes before the part: whole fields, and the part's tag. */
  readonly literal: Literal;
  /** Of an attribute: its key, and the tag of its value. */
  readonly name: Literal;
  /** Id of the attribute's key. */
  readonly key: number;
  /** The literal and the part with the known value `value`; null if that value is not interned or too long. */
  whole: Literal | null;
  value: number;
  /** Id of the value that was read last, if it differs from `value`. */
  last: number;
  renewals: number;
  /** The steps that have followed this one: `next` has all of them, `first` and `second` are the last two. */
  readonly next: Step[];
  first: Step | null;
  second: Step | null;
  /** The constants of the span, in the step at its end; otherwise null. */
  readonly constants: SpanConstants | null;
}

/** A part of a span that the scanner has read. */
interface Noted {
  readonly which: Part;
  /** The offset after the tag; for an id, after its length. */
  readonly from: number;
  readonly to: number;
  /** Of an attribute: where its key begins and ends. */
  readonly nameFrom: number;
  readonly nameTo: number;
  readonly key: number;
  /** The id of its value; -1 where it has none. */
  readonly value: number;
}

/**
 * Reads OTLP protobuf spans that have the same layout as an earlier span: the same fields in the same order. It is the counterpart of
 * `KnownSpans` for JSON. A step compares the whole fields up to the next part, and for an attribute also its value with the known one, so
 * most attributes take one comparison.
 */
export class KnownProtobufSpans {
  readonly #writer: SpanWriter;
  readonly #wire: ProtobufBytes;
  readonly #budget: LearntBudget;
  readonly #root: Step = createStep({
    ...{ part: part.end, literal: noBytes, name: noBytes, key: 0, whole: null, value: -1, constants: null },
  });
  /** The parts of the span that the scanner is reading. */
  readonly #parts: Noted[] = [];
  #isLearnable = false;
  /** Set by `#isAt`: whether the value is the step's known value, and where the bytes of the value are. */
  #isSame = false;
  #from = 0;
  #to = 0;

  constructor(writer: SpanWriter, input: ProtobufBytes, budget: LearntBudget) {
    this.#writer = writer;
    this.#wire = input;
    this.#budget = budget;
  }

  /** Reads the span between the offsets. @returns False when its layout is not known; then nothing is written. */
  scan(start: number, end: number): boolean {
    const writer = this.#writer;
    const { view } = this.#wire.source;
    const row = writer.beginRow();
    const { columns } = writer;
    let step = this.#root;
    let at = start;
    let startHigh = 0;
    let startLow = 0;
    let endHigh = 0;
    let endLow = 0;
    for (;;) {
      let next = step.first;
      if (next === null || !this.#isAt(next, at, end)) {
        next = this.#findNext(step, at, end);
        if (next === null) break;
      }
      step = next;
      const from = this.#from;
      switch (step.part) {
        case part.traceId: {
          const first = view.getInt32(from);
          const second = view.getInt32(from + 4);
          const third = view.getInt32(from + 8);
          const fourth = view.getInt32(from + 12);
          if ((first | second | third | fourth) === 0) refuse();
          columns.traceIds[row * 4] = first;
          columns.traceIds[row * 4 + 1] = second;
          columns.traceIds[row * 4 + 2] = third;
          columns.traceIds[row * 4 + 3] = fourth;
          break;
        }
        case part.spanId: {
          const high = view.getInt32(from);
          const low = view.getInt32(from + 4);
          if ((high | low) === 0) refuse();
          columns.spanIds[row * 2] = high;
          columns.spanIds[row * 2 + 1] = low;
          break;
        }
        case part.parentId:
          columns.parentIds[row * 2] = view.getInt32(from);
          columns.parentIds[row * 2 + 1] = view.getInt32(from + 4);
          break;
        case part.start:
          startLow = view.getUint32(from, true);
          startHigh = view.getUint32(from + 4, true);
          break;
        case part.finish:
          endLow = view.getUint32(from, true);
          endHigh = view.getUint32(from + 4, true);
          break;
        case part.name:
          columns.names[row] = this.#isSame ? step.value : this.#readText(step, at, field.name);
          break;
        case part.traceState:
          columns.traceStates[row] = this.#isSame ? step.value : this.#readText(step, at, field.traceState);
          break;
        case part.text:
          writer.addValue(this.#isSame ? step.value : this.#readText(step, at, attributeField(step.key)));
          break;
        case part.integer:
          if (this.#isSame) writer.addValue(step.value);
          else {
            const value = this.#readInteger(step, at);
            if (value === null) return this.#abandon();
            writer.addValue(value);
          }
          break;
        case part.other:
          writer.addValue(step.value);
          break;
        case part.presence:
          if (!this.#isSame) this.#skip(anyValue);
          writer.addValue(emptyText);
          break;
        case part.skipped:
          if (!this.#isSame) this.#skip(anyValue);
          break;
        case part.event:
          this.#skip(event);
          break;
        default: {
          const { constants } = step;
          if (constants === null) return refuse();
          writer.setBinaryTimes(startHigh, startLow, endHigh, endLow);
          commitWith(writer, constants);
          return true;
        }
      }
      at = this.#to;
    }
    return this.#abandon();
  }

  #abandon(): boolean {
    this.#writer.abandon();
    return false;
  }

  /** The scanner calls it before it reads a span of unknown layout. */
  begin(): void {
    this.#parts.length = 0;
    this.#isLearnable = !this.#budget.isSpent;
  }

  /** Records a field of the span, without its tag. @param value The id of its value; -1 where it has none. */
  note(which: Part, from: number, to: number, value = -1): void {
    if (this.#isLearnable) this.#parts.push({ which, from, to, nameFrom: from, nameTo: from, key: 0, value });
  }

  /** Records an attribute, without its tag. */
  noteAttribute(noted: Noted): void {
    if (noted.which === part.other && isRaw(noted.value)) this.#isLearnable = false;
    if (this.#isLearnable) this.#parts.push(noted);
  }

  /** The span has a part that no step can read: its layout is not learnt. */
  giveUp(): void {
    this.#isLearnable = false;
  }

  /** Learns the layout of the span between the offsets, which is the last row and whose parts are recorded. */
  learn(start: number, end: number): void {
    if (!this.#isLearnable) return;
    const constants = readConstants(this.#writer);
    let step: Step | null = this.#root;
    let at = start;
    for (const noted of this.#parts) {
      step = this.#addStep(step, at, noted, null);
      if (step === null) return;
      at = noted.to;
    }
    const last = { which: part.end, from: end, to: end, nameFrom: end, nameTo: end, key: 0, value: -1 };
    this.#addStep(step, at, last, constants);
  }

  #addStep(after: Step, start: number, noted: Noted, constants: SpanConstants | null): Step | null {
    const { which, from, to, nameFrom, nameTo, key, value } = noted;
    const { source } = this.#wire;
    const isWhole = (!isRaw(value) || which === part.skipped) && to - start <= longestWhole;
    const known = after.next.find(
      (step) =>
        step.part === which &&
        isSame(step.literal, source, start, from) &&
        isSame(step.name, source, nameFrom, nameTo) &&
        (which !== part.other || (step.whole !== null && isSame(step.whole, source, start, to))),
    );
    if (known !== undefined) return known;
    if (which === part.other && !isWhole) return null;
    const bytes = from - start + nameTo - nameFrom + (isWhole ? to - start : 0);
    if (after.next.length >= mostNext || !this.#budget.take(bytes, 1)) return null;
    const literalOf = (begin: number, end: number) => new Literal(source.bytes.subarray(begin, end));
    const step = createStep({
      ...{ part: which, literal: literalOf(start, from), name: literalOf(nameFrom, nameTo) },
      ...{ key, whole: isWhole ? literalOf(start, to) : null, value, constants },
    });
    after.next.push(step);
    after.second = after.first;
    after.first = step;
    return step;
  }

  /** Whether the bytes match a step. If so, `#isSame`, `#from` and `#to` describe the step's value. */
  #isAt(step: Step, at: number, end: number): boolean {
    const { source } = this.#wire;
    const { whole, literal, part: which } = step;
    this.#isSame = false;
    if (whole !== null && at + whole.length <= end && whole.isAt(source, at)) {
      this.#isSame = true;
      this.#to = at + whole.length;
      return true;
    }
    const from = at + literal.length;
    if (from > end || which === part.other || !literal.isAt(source, at)) return false;
    if (which <= part.finish) {
      this.#from = from;
      this.#to = from + (widths[which] ?? 0);
      return which === part.end ? from === end : this.#to <= end;
    }
    const input = this.#wire;
    input.at = from;
    const to = input.length(end);
    this.#to = to;
    this.#from = input.at;
    return which === part.event || which <= part.traceState || this.#isAttributeAt(step, input.at, to);
  }

  #isAttributeAt({ name, part: which }: Step, start: number, end: number): boolean {
    const input = this.#wire;
    const value = start + name.length;
    if (value >= end || !name.isAt(input.source, start)) return false;
    input.at = value;
    if (input.length(end) !== end) return false;
    if (which === part.text) {
      if (input.at === end || input.source.bytes[input.at] !== tags.anyValue.text) return false;
      input.at += 1;
      if (input.length(end) !== end) return false;
    } else if (which === part.integer) {
      if (input.at === end || input.source.bytes[input.at] !== tags.anyValue.integer) return false;
      input.at += 1;
    }
    this.#from = input.at;
    return true;
  }

  #findNext(step: Step, at: number, end: number): Step | null {
    const { first, second } = step;
    if (second !== null && this.#isAt(second, at, end)) {
      step.first = second;
      step.second = first;
      return second;
    }
    for (const next of step.next) {
      if (next === first || next === second || !this.#isAt(next, at, end)) continue;
      step.second = first;
      step.first = next;
      return next;
    }
    return null;
  }

  #readText(step: Step, at: number, ofField: number): number {
    const input = this.#wire;
    input.at = this.#from;
    input.skipText(this.#to);
    const id = this.#writer.values.addBytes(input.source, this.#from, this.#to, valueType.text, ofField);
    this.#renew(step, at, id);
    return id;
  }

  /** Null where it is not a natural number of up to 49 bits. */
  #readInteger(step: Step, at: number): number | null {
    const input = this.#wire;
    if (this.#to - this.#from > longestNatural || this.#from === this.#to) return null;
    input.at = this.#from;
    const integer = input.varint();
    if (input.at !== this.#to) return null;
    const id = this.#writer.values.addNatural(integer, attributeField(step.key));
    this.#renew(step, at, id);
    return id;
  }

  /** Makes a value that was read twice in succession the known value of the step: it is likely to recur. */
  #renew(step: Step, at: number, value: number): void {
    if (value !== step.last || isRaw(value)) {
      step.last = value;
      return;
    }
    const length = this.#to - at;
    if (step.renewals >= mostRenewals || length > longestWhole || !this.#budget.take(length, 0)) return;
    step.renewals += 1;
    step.whole = new Literal(this.#wire.source.bytes.subarray(at, this.#to));
    step.value = value;
  }

  #skip(shape: Shape): void {
    this.#wire.at = this.#from;
    this.#wire.skipMessage(shape, this.#to);
  }
}

/** Longer values hardly repeat. */
const longestWhole = 1_024;
/** In bytes: 49 bits, which a JavaScript number holds exactly. */
export const longestNatural = 7;

const noBytes = new Literal(new Uint8Array());

function createStep(
  fixed: Pick<Step, 'part' | 'literal' | 'name' | 'key' | 'whole' | 'value' | 'constants'>,
): Step {
  return { ...fixed, last: -1, renewals: 0, next: [], first: null, second: null };
}

function isSame(literal: Literal, source: ProtobufBytes['source'], from: number, to: number): boolean {
  return literal.length === to - from && literal.isAt(source, from);
}
