import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import type { Place } from './place.ts';
import type { ProjectFile } from './project-file.ts';

interface Source {
  readonly document: Document;
  readonly path: string;
  readonly lines: LineCounter;
}

/** A value of a YAML or JSON file that knows its place. Aliases and merge keys (`<<`) are followed. */
export class YamlValue {
  readonly #source: Source;
  readonly #node: Node | null;
  readonly #at: Node | null;

  constructor(source: Source, node: unknown, at: unknown) {
    this.#source = source;
    this.#node = resolve(source.document, node);
    this.#at = isNode(at) ? at : this.#node;
  }

  /** Of its key where it has one. */
  get place(): Place {
    const { path, lines } = this.#source;
    const { line, col } = lines.linePos(this.#at?.range?.[0] ?? 0);
    return { path, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** A scalar as it is written, without quotes: `1.0` stays what it is. Null for all else. */
  get text(): string | null {
    if (!isScalar(this.#node) || this.#node.value === null || this.#node.value === undefined) return null;
    return typeof this.#node.value === 'string'
      ? this.#node.value
      : (this.#node.source ?? String(this.#node.value));
  }

  get isMap(): boolean {
    return isMap(this.#node);
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  entries(): readonly (readonly [key: string, value: YamlValue])[] {
    return [...this.#pairs(this.#node, 0)].map(([key, [at, value]]) => [
      key,
      new YamlValue(this.#source, value, at),
    ]);
  }

  items(): readonly YamlValue[] {
    return isSeq(this.#node) ? this.#node.items.map((item) => new YamlValue(this.#source, item, item)) : [];
  }

  get(...path: readonly string[]): YamlValue | null {
    const [key, ...rest] = path;
    if (key === undefined) return this;
    const found = this.#pairs(this.#node, 0).get(key);
    return found === undefined ? null : new YamlValue(this.#source, found[1], found[0]).get(...rest);
  }

  #pairs(node: unknown, depth: number): Map<string, readonly [unknown, unknown]> {
    const pairs = new Map<string, readonly [unknown, unknown]>();
    const map = resolve(this.#source.document, node);
    if (!isMap(map) || depth > deepestMerge) return pairs;
    for (const { key, value } of map.items) {
      if (!isScalar(key)) continue;
      if (key.value !== '<<') {
        pairs.set(String(key.value), [key, value]);
        continue;
      }
      const merged = resolve(this.#source.document, value);
      for (const part of isSeq(merged) ? merged.items : [merged])
        for (const [name, pair] of this.#pairs(part, depth + 1)) if (!pairs.has(name)) pairs.set(name, pair);
    }
    return pairs;
  }
}

/** Maps that merge maps that merge maps; a file may merge a map into itself. */
const deepestMerge = 8;

function resolve(document: Document, node: unknown): Node | null {
  if (isAlias(node)) return node.resolve(document) ?? null;
  return isNode(node) ? node : null;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

/** The documents of a YAML or JSON file; null where it is neither, as templates are, or nested beyond what the parser can follow. */
export function readYaml({ path, text }: ProjectFile): readonly YamlValue[] | null {
  const lines = new LineCounter();
  const documents = parseDocuments(text, lines);
  if (documents === null || documents.some(({ errors }) => errors.length > 0)) return null;
  return documents.map((document) => new YamlValue({ document, path, lines }, document.contents, null));
}

function parseDocuments(text: string, lineCounter: LineCounter): readonly Document.Parsed[] | null {
  try {
    return [...parseAllDocuments(text, { lineCounter, uniqueKeys: false, logLevel: 'silent' })];
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
