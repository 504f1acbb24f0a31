import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import type { Place } from './place.ts';
import type { ProjectFile } from './project-file.ts';

/** A file that could not be parsed. */
export interface Unparsed {
  readonly path: string;
  /** The place of the first fault; null where it is not known. */
  readonly at: { readonly line: number; readonly col: number } | null;
}

interface Source {
  /** The target of each alias. */
  readonly aliases: ReadonlyMap<Node, Node>;
  readonly path: string;
  readonly lines: LineCounter;
}

/** A value of a YAML or JSON file, with its place. Aliases and merge keys (`<<`) are resolved. */
export class YamlValue {
  readonly #source: Source;
  readonly #node: Node | null;
  readonly #at: Node | null;

  constructor(source: Source, node: unknown, at: unknown) {
    this.#source = source;
    this.#node = resolve(source.aliases, node);
    this.#at = isNode(at) ? at : this.#node;
  }

  /** The place of its key where it has one. */
  get place(): Place {
    const { path, lines } = this.#source;
    const { line, col } = lines.linePos(this.#at?.range?.[0] ?? 0);
    return { path, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** The text of a scalar as written, without quotes: `1.0` is not changed to `1`. Null for other values. */
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
    return [...this.#pairs()].map(([key, [at, value]]) => [key, new YamlValue(this.#source, value, at)]);
  }

  items(): readonly YamlValue[] {
    return isSeq(this.#node) ? this.#node.items.map((item) => new YamlValue(this.#source, item, item)) : [];
  }

  get(...path: readonly string[]): YamlValue | null {
    const [key, ...rest] = path;
    if (key === undefined) return this;
    const found = this.#pairs().get(key);
    return found === undefined ? null : new YamlValue(this.#source, found[1], found[0]).get(...rest);
  }

  /** This value and all values inside it, each once: aliases may repeat a value many times. */
  descendants(): readonly YamlValue[] {
    const seen = new Set<Node>();
    const found: YamlValue[] = [this];
    // The iteration includes elements that are added meanwhile.
    for (const value of found)
      for (const inner of [...value.items(), ...value.entries().map(([, each]) => each)]) {
        if (inner.#node === null || seen.has(inner.#node)) continue;
        seen.add(inner.#node);
        found.push(inner);
      }
    return found;
  }

  #pairs(): ReadonlyMap<string, Pair> {
    return listPairs(this.#source.aliases, this.#node);
  }
}

type Pair = readonly [key: Node, value: unknown];

/** The limit for one map, including the maps that are merged into it. */
const mostMerged = 100;

/**
 * Own keys take precedence over merged ones, and earlier ones over later. Each map is merged once, because a file may merge a map into itself.
 * Maps beyond `mostMerged` are left out: only hostile files have that many.
 */
function listPairs(aliases: Source['aliases'], root: unknown): ReadonlyMap<string, Pair> {
  const pairs = new Map<string, Pair>();
  const seen = new Set<Node>();
  const waiting: unknown[] = [root];
  while (waiting.length > 0 && seen.size < mostMerged) {
    const map = resolve(aliases, waiting.pop());
    if (!isMap(map) || seen.has(map)) continue;
    seen.add(map);
    const merged: unknown[] = [];
    for (const { key, value } of map.items) {
      if (!isScalar(key)) continue;
      if (key.value === '<<') {
        const parts = resolve(aliases, value);
        for (const part of isSeq(parts) ? parts.items : [parts]) merged.push(part);
      } else if (!pairs.has(String(key.value))) pairs.set(String(key.value), [key, value]);
    }
    for (const part of merged.reverse()) waiting.push(part);
  }
  return pairs;
}

function resolve(aliases: Source['aliases'], node: unknown): Node | null {
  if (isAlias(node)) return aliases.get(node) ?? null;
  return isNode(node) ? node : null;
}

/** An alias refers to the last node before it with its anchor. Source: YAML 1.2.2, 7.1. One pass: the library would search once for each alias. */
function findAliases(document: Document): ReadonlyMap<Node, Node> {
  const anchors = new Map<string, Node>();
  const aliases = new Map<Node, Node>();
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) aliases.set(node, target);
      } else if (isNode(node) && 'anchor' in node && typeof node.anchor === 'string')
        anchors.set(node.anchor, node);
    },
  });
  return aliases;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

/** The documents of a YAML or JSON file; or the place of the first error, for instance in a template or beyond the depth of the parser. */
export function readYaml({ path, text }: ProjectFile): readonly YamlValue[] | Unparsed {
  const lines = new LineCounter();
  try {
    const documents: readonly Document[] = [
      ...parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' }),
    ];
    const [fault] = documents.flatMap(({ errors }) => errors);
    if (fault !== undefined) return { path, at: fault.linePos?.[0] ?? lines.linePos(fault.pos[0]) };
    return documents.map(
      (document) => new YamlValue({ aliases: findAliases(document), path, lines }, document.contents, null),
    );
  } catch (error) {
    if (error instanceof RangeError) return { path, at: null };
    throw error;
  }
}
