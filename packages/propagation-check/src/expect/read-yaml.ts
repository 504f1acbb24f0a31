import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import * as z from 'zod';
import { quoteValue } from '../decode/quote-value.ts';
import { groupBy } from '../util/group-by.ts';
import { messageOf } from '../util/message-of.ts';
import { suggestName } from '../util/suggest-name.ts';
import { describeYamlFault } from './describe-yaml-fault.ts';

export type Path = readonly PropertyKey[];

/** A fault in a file that people write. */
export interface Fault {
  readonly path: Path;
  readonly place: Place;
  /** The path in the document, the fault, and the allowed values. */
  readonly text: string;
}

/** Counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface YamlReading<Value> {
  /** Null if there are faults. */
  readonly value: Value | null;
  /** The document before validation; undefined if it is not YAML. */
  readonly written: unknown;
  /** All faults, in no order. */
  readonly faults: readonly Fault[];
  /** The place of the value; of its key if the value is a map or a list. */
  readonly placeOf: (path: Path) => Place;
}

/**
 * Reads YAML 1.2, or JSON, and validates it.
 *
 * @param shape Strict objects, so that unknown keys are faults.
 */
export function readYaml<Value>(text: string, shape: z.ZodObject & z.ZodType<Value>): YamlReading<Value> {
  const known = listKeys(shape, []);
  const fail = (message: string, place: Place = start, path: Path = []): YamlReading<Value> => ({
    ...{ value: null, written: undefined, placeOf: () => start },
    faults: [{ path, place, text: message }],
  });
  // The file was decoded as UTF-8: only the first of gzip's two magic bytes is a character.
  if (text.startsWith('\u001f\ufffd')) return fail('compressed with gzip; uncompress it first (gunzip)');
  if (/[\0\ufffd]/.test(text)) return fail('no text in UTF-8; expected YAML or JSON');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const placeOf = (path: Path): Place =>
    isScalar(nodeAt(document, path))
      ? findPlace(document, lines, path)
      : findKey(document, lines, path.slice(0, -1), String(path.at(-1)));
  if (document.errors.length > 0) {
    const faults = document.errors.map((fault) => ({
      ...{ path: [], place: toPlace(lines, fault.pos[0]), text: describeYamlFault(fault) },
    }));
    const first = groupBy(faults, ({ place }) => String(place.line)).map(([each]) => each);
    return { value: null, written: undefined, faults: first.slice(0, mostSyntaxFaults), placeOf };
  }
  let written: unknown;
  try {
    // The library refuses aliases that multiply (a "billion laughs").
    written = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return fail(toOneLine(messageOf(error)));
  }
  if (written === null) return fail(`empty; expected ${joinOr(known)}; write one, or do without the file`);
  if (typeof written !== 'object' || Array.isArray(written)) {
    return fail(`not a map; expected ${joinOr(known)}`, findPlace(document, lines, []));
  }
  const parsed = shape.safeParse(written);
  const faults = (parsed.error?.issues ?? [])
    .flatMap(innermost)
    .flatMap((issue) => describeIssue(document, lines, shape, issue));
  return { value: parsed.success ? parsed.data : null, written, faults, placeOf };
}

const start: Place = { line: 1, column: 1 };

/** `3:5: text`, in the order of the file. */
export function listFaults(faults: readonly Fault[]): readonly string[] {
  const lines = faults
    .toSorted(({ place: left }, { place: right }) => left.line - right.line || left.column - right.column)
    .map(({ place, text }) => `${place.line}:${place.column}: ${text}`);
  const more = lines.length - mostFaults;
  return more > 0 ? [...lines.slice(0, mostFaults), `and ${more} more`] : lines;
}

/** One syntax fault causes others after it. */
const mostSyntaxFaults = 3;
/** A file of another kind has a fault in every line. */
const mostFaults = 20;

type Issue = z.core.$ZodIssue;

/** The faults of the union's branch that fits the type of the value. */
function innermost(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const fitting = issue.errors.find(
    (branch) => !branch.some(({ path, code }) => path.length === 0 && isOfType(code)),
  );
  if (fitting === undefined) return [issue];
  return fitting.flatMap((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }));
}

function isOfType(code: Issue['code']): boolean {
  return code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union';
}

function describeIssue(
  document: Document,
  lines: LineCounter,
  shape: z.ZodType,
  issue: Issue,
): readonly Fault[] {
  const { path } = issue;
  const known = listKeys(shape, path);
  if (issue.code !== 'unrecognized_keys') {
    const text = `${nameOf(path)}${describeForm(issue, known)}`;
    return [{ path, place: findPlace(document, lines, path), text }];
  }
  return issue.keys.map((key, index) => {
    const meant = suggestName(key, known) ?? suggestElsewhere(shape, key);
    const suggestion = meant === null ? '' : `; did you mean ${meant}?`;
    // List the allowed keys once.
    const allowed = index === 0 ? `; known here: ${known.join(', ')}` : '';
    const text = `${nameOf(path)}unknown key ${quoteValue(key)}${allowed}${suggestion}`;
    return { path: [...path, key], place: findKey(document, lines, path, key), text };
  });
}

function describeForm(issue: Issue, known: readonly string[]): string {
  if (issue.code === 'invalid_type' && issue.expected === 'object')
    return `expected a map of ${joinOr(known)}`;
  if (issue.code === 'invalid_type' && issue.expected === 'array') return 'expected a list';
  if (issue.code === 'invalid_type' && issue.expected === 'record') return 'expected a map';
  return toOneLine(issue.message.replace(/^Invalid input: /, ''));
}

/** Suggests a key one level below. */
function suggestElsewhere(shape: z.ZodType, key: string): string | null {
  for (const section of listKeys(shape, [])) {
    const meant = suggestName(key, listKeys(shape, [section]));
    if (meant !== null) return `${section}.${meant}`;
  }
  return null;
}

function nameOf(path: Path): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}

/** The keys that an object at this path of a document may have. */
function listKeys(shape: z.core.$ZodType, path: Path): readonly string[] {
  if (shape instanceof z.ZodOptional) return listKeys(shape.unwrap(), path);
  if (shape instanceof z.ZodUnion) return shape.options.flatMap((option) => listKeys(option, path));
  const [key, ...rest] = path;
  if (shape instanceof z.ZodArray) return key === undefined ? [] : listKeys(shape.element, rest);
  if (!(shape instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(shape.shape);
  const inner = shape.shape[String(key)];
  return inner === undefined ? [] : listKeys(inner, rest);
}

/** The place of the value at a path, or of the nearest enclosing value if the path does not exist. */
function findPlace(document: Document, lines: LineCounter, path: Path): Place {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = nodeAt(document, path.slice(0, length));
    if (node?.range) return toPlace(lines, node.range[0]);
  }
  return start;
}

function findKey(document: Document, lines: LineCounter, path: Path, key: string): Place {
  const map = nodeAt(document, path);
  const pair = isMap(map)
    ? map.items.find(({ key: own }) => isScalar(own) && String(own.value) === key)
    : undefined;
  return isScalar(pair?.key) && pair.key.range
    ? toPlace(lines, pair.key.range[0])
    : findPlace(document, lines, path);
}

function nodeAt(document: Document, path: Path): Node | null {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node : null;
}

function toPlace(lines: LineCounter, offset: number): Place {
  const { line, col: column } = lines.linePos(offset);
  return { line, column };
}

function joinOr(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

function toOneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}
