import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { quoteValue } from '../decode/quote-value.ts';
import { describeYamlFault } from './describe-yaml-fault.ts';
import type { Expectation } from './expectation.ts';
import { type ExpectationDocument, expectationShape } from './read-expectation-shape.ts';
import { ExpectationError, readExpectedPath } from './read-expected-path.ts';

const rootKeys = 'edges, baggage, tolerated-peers or traceresponse';

/**
 * Reads an expectations file: YAML 1.2, or JSON, as `expectation.schema.json` describes it.
 * @throws {ExpectationError} with line and column, also for unknown and repeated keys.
 */
export function readExpectation(text: string): Expectation {
  // A file that was read as text: of gzip's two magic bytes only the first is a character.
  if (text.startsWith('\u001f\ufffd')) {
    throw new ExpectationError('1:1: compressed with gzip; uncompress it first (gunzip)');
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  refuse(document.errors.map((fault) => `${at(lines, fault.pos[0])}: ${describeYamlFault(fault)}`));
  const value = toValue(document);
  if (value === null) throw new ExpectationError(`1:1: empty; expected ${rootKeys}`);
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ExpectationError(`${whereIs(document, lines, [])}: not a map; expected ${rootKeys}`);
  }
  const parsed = expectationShape.safeParse(value);
  refuse((parsed.error?.issues ?? []).flatMap((issue) => describeIssue(document, lines, issue)));
  return toExpectation(parsed.data ?? {});
}

/** All faults at once, so that nobody repairs one after the other. */
function refuse(faults: readonly string[]): void {
  if (faults.length > 0) throw new ExpectationError(faults.join('; '));
}

/** Aliases that multiply (a "billion laughs") are refused by the library. */
function toValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ExpectationError(`1:1: ${toOneLine(error instanceof Error ? error.message : String(error))}`);
  }
}

type Path = readonly PropertyKey[];

const rules = ['must', 'may', 'must-not'] as const;

function toExpectation(document: ExpectationDocument): Expectation {
  return {
    edges: rules.flatMap((rule) =>
      (document.edges?.[rule] ?? []).flatMap((item) => {
        const edges = typeof item === 'string' ? readExpectedPath(item) : [item];
        return edges.map(({ client, server }) => ({ client, server, rule }));
      }),
    ),
    baggage: document.baggage ?? {},
    toleratedPeers: document['tolerated-peers'] ?? [],
    traceresponse: document.traceresponse ?? [],
  };
}

function describeIssue(document: Document, lines: LineCounter, issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path).join(', ');
    return issue.keys.map(
      (key) =>
        `${whereIsKey(document, lines, issue.path, key)}: unknown key ${quoteValue(key)}; known here: ${known}`,
    );
  }
  const [where, message] = innermost(issue);
  return [`${whereIs(document, lines, where)}: ${nameOf(where)}${message}`];
}

/** Of a union the branch that fits the value's type says best what is wrong. */
function innermost(issue: z.core.$ZodIssue): readonly [Path, string] {
  if (issue.code === 'invalid_union') {
    const nested = issue.errors.flat();
    const unknown = nested.find((inner) => inner.code === 'unrecognized_keys');
    if (unknown !== undefined) {
      return [issue.path, `unknown key ${quoteValue(unknown.keys[0])}; known here: client, server`];
    }
    const deeper = nested.find((inner) => inner.path.length > 0 || inner.code === 'invalid_format');
    if (deeper !== undefined) return [[...issue.path, ...deeper.path], toMessage(deeper)];
  }
  return [issue.path, toMessage(issue)];
}

function toMessage(issue: z.core.$ZodIssue): string {
  return toOneLine(issue.message.replace(/^Invalid input: /, ''));
}

function nameOf(path: Path): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}

function knownKeys(path: Path): readonly string[] {
  const shape = path.length === 0 ? expectationShape.shape : expectationShape.shape.edges.unwrap().shape;
  return Object.keys(shape);
}

/** Of the value at a path; of the nearest value around it where the path leads nowhere. */
function whereIs(document: Document, lines: LineCounter, path: Path): string {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = nodeAt(document, path.slice(0, length));
    if (node?.range) return at(lines, node.range[0]);
  }
  return '1:1';
}

function whereIsKey(document: Document, lines: LineCounter, path: Path, key: string): string {
  const map = nodeAt(document, path);
  const pair = isMap(map)
    ? map.items.find(({ key: own }) => isScalar(own) && String(own.value) === key)
    : undefined;
  return isScalar(pair?.key) && pair.key.range
    ? at(lines, pair.key.range[0])
    : whereIs(document, lines, path);
}

function nodeAt(document: Document, path: Path): Node | null {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node : null;
}

function at(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

function toOneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}
