import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { isKept, keepAttributes } from '../../src/span/kept-attributes.ts';
import type { Attributes, AttributeValue, Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const root = join(import.meta.dirname, '../..');

/** The attribute names that stand as texts in calls of the readers of attributes. */
function readNamesInSource(source: string): readonly string[] {
  const calls = source.matchAll(
    /\b(?:readText|readNumber|hasAny|attributes\.(?:get|has))\s*\((?<list>(?:[^()]|\([^()]*\))*)\)/g,
  );
  return [...calls].flatMap(({ groups }) =>
    [...(groups?.list ?? '').matchAll(/'(?<name>[a-z][\w.-]*)'/g)].map((name) => name.groups?.name ?? ''),
  );
}

test('every attribute that the source names in a call of a reader is kept', () => {
  const files = globSync('src/{calls,cli,graph,headers,pairing,report,rules,source,span,verdict}/**/*.ts', {
    cwd: root,
  });
  const names = files.flatMap((file) => readNamesInSource(readFileSync(join(root, file), 'utf8')));
  assert.ok(
    names.includes('http.route') && names.includes('peer.service'),
    'the readers have other names now',
  );
  assert.deepEqual(
    names.filter((name) => !isKept(name)),
    [],
  );
});

/** Remembers the names that it was asked for. */
class WatchedAttributes extends Map<string, AttributeValue> {
  readonly #asked: Set<string>;

  constructor(attributes: Attributes, asked: Set<string>) {
    super(attributes);
    this.#asked = asked;
  }

  override get(key: string): AttributeValue | undefined {
    this.#asked.add(key);
    return super.get(key);
  }

  override has(key: string): boolean {
    this.#asked.add(key);
    return super.has(key);
  }
}

test('every attribute that a check of a drawing asks for is kept, and the result needs no other', () => {
  const asked = new Set<string>();
  for (const file of globSync('fixtures/*/*.txt', { cwd: root })) {
    const { spans, ...options } = readDrawing(readFileSync(join(root, file), 'utf8'));
    const watched = spans.map(
      (span): Span => ({ ...span, attributes: new WatchedAttributes(span.attributes, asked) }),
    );
    assert.deepEqual(checkTraces(restrict(spans), options), checkTraces(watched, options), file);
  }
  assert.ok(asked.has('http.request.header.traceparent') && asked.has('baggage.hello'));
  assert.deepEqual(
    [...asked].filter((name) => !isKept(name)),
    [],
  );
});

test('the result of a capture of a real system needs no other attribute', () => {
  for (const file of globSync('corpus/*/spans.otlp.jsonl.gz', { cwd: root })) {
    const { spans } = decodeBytes(gunzipSync(readFileSync(join(root, file))));
    assert.deepEqual(checkTraces(restrict(spans)), checkTraces(spans), file);
  }
});

function restrict(spans: readonly Span[]): readonly Span[] {
  return spans.map((span) => ({ ...span, attributes: keepAttributes(span.attributes) }));
}
