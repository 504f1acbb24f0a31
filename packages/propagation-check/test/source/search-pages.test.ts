import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchPages } from '../../src/source/search-pages.ts';
import { selectTraces } from '../../src/source/select-spans.ts';
import type { Source } from '../../src/source/source.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

const [drawn] = drawTrace('SERVER web GET /  a1  0..10');
assert.ok(drawn);
const base: Span = drawn;

/** @param starts Start times in milliseconds. */
function makeSource(starts: readonly number[]) {
  const spans = starts.map((start, at) => ({
    ...base,
    traceId: (at + 1).toString(16).padStart(32, '0'),
    startTimeUnixNano: BigInt(start) * 1_000_000n,
  }));
  const limits: number[] = [];
  const source: Source = {
    name: 'spans',
    readTrace: async () => [],
    searchTraces: async (query) => {
      limits.push(query.limit);
      return selectTraces(spans, query);
    },
    close: async () => {},
  };
  return { source, limits };
}

async function read(source: Source, limit: number): Promise<readonly (readonly number[])[]> {
  const query = { service: 'web', startTimeMin: 0, startTimeMax: 1_000_000, limit };
  const pages = await Array.fromAsync(searchPages(source, query, new AbortController().signal));
  return pages.map((page) => page.map((span) => Number(span.startTimeUnixNano / 1_000_000n)));
}

test('a small search is one request', async () => {
  const { source, limits } = makeSource([10, 20, 30]);
  assert.deepEqual(await read(source, 2), [[30, 20]]);
  assert.deepEqual(limits, [2]);
});

test('pages have each trace once, the newest first, also with bursts and pauses', async () => {
  const burst = Array.from({ length: 500 }, (_, at) => 600_000 + at * 50);
  const rare = Array.from({ length: 300 }, (_, at) => at * 1_000);
  const { source } = makeSource([...rare, ...burst]);
  const pages = await read(source, 10_000);
  const expected = [...rare, ...burst].sort((left, right) => right - left);
  assert.deepEqual(pages.flat(), expected);
  assert.ok(pages.every((page) => page.length < 200));
  assert.deepEqual((await read(source, 350)).flat(), expected.slice(0, 350));
});

test('more traces at one moment than a page holds are all found', async () => {
  const { source, limits } = makeSource(Array.from({ length: 450 }, () => 500_000));
  assert.equal((await read(source, 10_000)).flat().length, 450);
  assert.equal(Math.max(...limits), 800);
});
