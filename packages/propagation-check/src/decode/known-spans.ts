import { attributeField, field, type SpanWriter } from '../span/span-writer.ts';
import { valueType } from '../span/value-arena.ts';
import { emptyText, isRaw } from '../span/value-id.ts';
import {
  type JsonBytes,
  readHexWord,
  readNanoseconds,
  readSeconds,
  readTraceId,
  refuse,
  sign,
  timeDigits,
} from './json-bytes.ts';
import { type LearntBudget, mostNext } from './learnt-budget.ts';
import { Literal } from './literal.ts';
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
  statusMessage: 8,
  /** From here on: attributes. */
  text: 9,
  presence: 10,
  integer: 11,
  /** Values that are not kept. */
  skippedText: 12,
  skippedInteger: 13,
  skippedNumber: 14,
  skippedValue: 15,
} as const;

/** Parts that never begin with a quote. A quote in their place means another layout: an empty parent id, or a number written as a string. */
const unquoted: ReadonlySet<Part> = new Set([
  part.parentId,
  part.integer,
  part.skippedInteger,
  part.skippedNumber,
]);

type Part = (typeof part)[keyof typeof part];

/** A step of a layout: the bytes up to a part, and the part. */
interface Step {
  readonly literal: Literal;
  readonly part: Part;
  /** Id of the attribute's key. */
  readonly key: number;
  /** Id of the last value that had no escapes; -1 if that value is raw or none was read. */
  value: number;
  /** The steps that have followed this one: `next` has all of them, `first` and `second` are the last two. */
  readonly next: Step[];
  first: Step | null;
  second: Step | null;
  /** The constants of the span, in the step at its end; otherwise null. */
  readonly constants: SpanConstants | null;
}

/** A part of a span that the scanner has read, without its quotes. */
interface Noted {
  readonly which: Part;
  readonly from: number;
  readonly to: number;
  readonly key: number;
}

/**
 * Reads OTLP/JSON spans that have the same layout as an earlier span: the same keys in the same order, and the same bytes except for ids,
 * times, texts and numbers. The layouts form a tree of steps; each step compares the bytes up to the next part. The scanner reads spans
 * of unknown layout and records where their parts are.
 */
export class KnownSpans {
  readonly #writer: SpanWriter;
  readonly #json: JsonBytes;
  readonly #budget: LearntBudget;
  readonly #root: Step = createStep({
    literal: new Literal(new Uint8Array()),
    part: part.end,
    key: 0,
    constants: null,
  });
  /** The parts of the span that the scanner is reading. */
  readonly #parts: Noted[] = [];
  #isLearnable = false;

  constructor(writer: SpanWriter, json: JsonBytes, budget: LearntBudget) {
    this.#writer = writer;
    this.#json = json;
    this.#budget = budget;
  }

  /** Reads a span. @returns The offset after it; -1 when its layout is not known, and then nothing is written. */
  scan(start: number): number {
    const writer = this.#writer;
    const json = this.#json;
    const { bytes, view } = json.source;
    const row = writer.beginRow();
    const { columns } = writer;
    let step = this.#root;
    let at = start;
    let startSeconds = 0;
    let startNanos = 0;
    let endSeconds = 0;
    let endNanos = 0;
    for (;;) {
      let next = step.first;
      if (next === null || !this.#isAt(next, at)) {
        next = this.#findNext(step, at);
        if (next === null) break;
      }
      at += next.literal.length;
      step = next;
      switch (step.part) {
        case part.traceId: {
          readTraceId(view, at, columns.traceIds, row);
          at += 32;
          break;
        }
        case part.spanId: {
          const high = readHexWord(view, at);
          const low = readHexWord(view, at + 8);
          if ((high | low) === 0) refuse();
          columns.spanIds[row * 2] = high;
          columns.spanIds[row * 2 + 1] = low;
          at += 16;
          break;
        }
        case part.parentId:
          columns.parentIds[row * 2] = readHexWord(view, at);
          columns.parentIds[row * 2 + 1] = readHexWord(view, at + 8);
          at += 16;
          break;
        case part.start:
          if (bytes[at + timeDigits] !== sign.quote) return this.#abandon();
          startSeconds = readSeconds(view, at);
          startNanos = readNanoseconds(view, at);
          at += timeDigits;
          break;
        case part.finish:
          if (bytes[at + timeDigits] !== sign.quote) return this.#abandon();
          endSeconds = readSeconds(view, at);
          endNanos = readNanoseconds(view, at);
          at += timeDigits;
          break;
        case part.name:
          at = this.#scanText(step, at, field.name);
          columns.names[row] = this.#text;
          break;
        case part.traceState:
          at = this.#scanText(step, at, field.traceState);
          columns.traceStates[row] = this.#text;
          break;
        case part.statusMessage:
          at = this.#scanText(step, at, field.statusMessage);
          columns.statusMessages[row] = this.#text;
          break;
        case part.text:
          at = this.#scanText(step, at, attributeField(step.key));
          writer.addValue(this.#text);
          break;
        case part.presence:
          at = json.findQuote(at);
          writer.addValue(emptyText);
          break;
        case part.integer:
          at = this.#scanInteger(step, at);
          if (at < 0) return this.#abandon();
          break;
        case part.skippedText:
          at = json.findQuote(at);
          break;
        case part.skippedInteger:
          at = json.skipInteger(at);
          if (at < 0) return this.#abandon();
          break;
        case part.skippedNumber:
          at = json.skipNumber(at);
          break;
        case part.skippedValue:
          at = json.skipValue(at);
          break;
        default: {
          const { constants } = step;
          if (constants === null) return refuse();
          writer.setDecimalTimes(startSeconds, startNanos, endSeconds, endNanos);
          commitWith(writer, constants);
          return at;
        }
      }
    }
    return this.#abandon();
  }

  #abandon(): number {
    this.#writer.abandon();
    return -1;
  }

  /** The scanner calls it before it reads a span of unknown layout. */
  begin(): void {
    this.#parts.length = 0;
    this.#isLearnable = !this.#budget.isSpent;
  }

  /** Records a part of the span, without quotes. @param key Id of an attribute's key. */
  note(which: Part, from: number, to: number, key = 0): void {
    if (this.#isLearnable) this.#parts.push({ which, from, to, key });
  }

  /** The span has a part that no step can read: its layout is not learnt. */
  giveUp(): void {
    this.#isLearnable = false;
  }

  /** Learns the layout of the span from `start` to `end`, which is the last row and whose parts are recorded. */
  learn(start: number, end: number): void {
    if (!this.#isLearnable) return;
    const constants = readConstants(this.#writer);
    let step: Step | null = this.#root;
    let at = start;
    for (const { which, from, to, key } of this.#parts) {
      step &&= this.#addStep(step, at, from, which, key, null);
      at = to;
    }
    if (step !== null) this.#addStep(step, at, end, part.end, 0, constants);
  }

  #addStep(
    after: Step,
    from: number,
    to: number,
    which: Part,
    key: number,
    constants: SpanConstants | null,
  ): Step | null {
    const { bytes } = this.#json.source;
    const known = after.next.find(
      (step) => step.literal.length === to - from && step.part === which && this.#isAt(step, from),
    );
    if (known !== undefined) return known;
    if (after.next.length >= mostNext || !this.#budget.take(to - from, 1)) return null;
    const literal = new Literal(bytes.subarray(from, to));
    const step = createStep({ literal, part: which, key, constants });
    after.next.push(step);
    after.second = after.first;
    after.first = step;
    return step;
  }

  #isAt({ literal, part: which }: Step, start: number): boolean {
    const { source } = this.#json;
    return (
      literal.isAt(source, start) &&
      (source.bytes[start + literal.length] !== sign.quote || !unquoted.has(which))
    );
  }

  #findNext(step: Step, at: number): Step | null {
    const { first, second } = step;
    if (second !== null && this.#isAt(second, at)) {
      step.first = second;
      step.second = first;
      return second;
    }
    for (const next of step.next) {
      if (next === first || next === second || !this.#isAt(next, at)) continue;
      step.second = first;
      step.first = next;
      return next;
    }
    return null;
  }

  #text = 0;

  /** Reads a text up to its closing quote, and sets `#text` to its id. */
  #scanText(step: Step, at: number, ofField: number): number {
    const json = this.#json;
    const { source } = json;
    const { values } = this.#writer;
    if (step.value >= 0) {
      const same = values.matchInterned(step.value, source, at);
      if (same >= 0 && source.bytes[same] === sign.quote) {
        this.#text = step.value;
        return same;
      }
    }
    json.hasEscape = false;
    const end = json.findQuote(at);
    if (json.hasEscape) this.#text = values.add(String(json.parse(at - 1, end + 1)), ofField);
    else {
      this.#text = values.addBytes(source, at, end, valueType.text, ofField);
      step.value = isRaw(this.#text) ? -1 : this.#text;
    }
    return end;
  }

  #scanInteger(step: Step, at: number): number {
    const json = this.#json;
    const end = json.skipInteger(at);
    if (end < 0) return -1;
    const { values } = this.#writer;
    if (step.value >= 0 && values.matchInterned(step.value, json.source, at) === end) {
      this.#writer.addValue(step.value);
      return end;
    }
    const id = values.addBytes(json.source, at, end, valueType.number, attributeField(step.key));
    step.value = isRaw(id) ? -1 : id;
    this.#writer.addValue(id);
    return end;
  }
}

function createStep(fixed: Pick<Step, 'literal' | 'part' | 'key' | 'constants'>): Step {
  return { ...fixed, value: -1, next: [], first: null, second: null };
}
