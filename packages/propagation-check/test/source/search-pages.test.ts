import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchPages } from '../../src/source/search-pages.ts';
import { selectTraces } from '../../src/source/select-spans.ts';
import type { Source, TraceQuery } from '../../src/source/source.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

const [drawn] = drawTrace('SERVER web GET /  a1  0..10');
assert.ok(drawn);
const base: Span = drawn;

/**
 * @param starts Start times in milliseconds. @param hasIds Whether the source reads each trace apart.
 * @param cap The most traces of an answer, whatever the limit.
 */
function makeSource(starts: readonly number[], hasIds = false, cap = Infinity) {
  const spans = starts.map((start, at) => ({
    ...base,
    traceId: (at + 1).toString(16).padStart(32, '0'),
    startTimeUnixNano: BigInt(start) * 1_000_000n,
  }));
  const select = (query: TraceQuery) => selectTraces(spans, { ...query, limit: Math.min(query.limit, cap) });
  const limits: number[] = [];
  const read = { traces: 0 };
  const source: Source = {
    name: 'spans',
    readTrace: async () => [],
    searchTraces: async (query) => {
      limits.push(query.limit);
      const found = select(query);
      read.traces += found.length;
      return found;
    },
    ...(hasIds ? { searchIds: async (query) => select(query).map(({ traceId }) => traceId) } : {}),
    close: async () => {},
  };
  return { source, limits, read };
}

async function read(
  source: Source,
  limit: number,
  onCut: (from: number) => void = (from) => assert.fail(`cut from ${from} on`),
): Promise<readonly (readonly number[])[]> {
  const query = { service: 'web', startTimeMin: 0, startTimeMax: 1_000_000, limit };
  const pages = await Array.fromAsync(searchPages(source, query, new AbortController().signal, onCut));
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

const bursts = Array.from({ length: 2_000 }, (_, at) => 50_000 * Math.floor(at / 100) + (at % 100) * 30);

test('few traces are read twice, of a source that answers the newest first', async () => {
  const { source, read: counted } = makeSource(bursts);
  assert.equal((await read(source, 10_000)).flat().length, 2_000);
  assert.ok(counted.traces < 2 * 2_000, `${counted.traces}`);
  const one = makeSource(Array.from({ length: 900_000 / 50 }, (_, at) => 100_000 + at * 50));
  assert.equal((await read(one.source, 300)).flat().length, 300);
  assert.ok(one.read.traces < 3 * 300, `${one.read.traces}`);
});

test('no trace is read twice where the ids tell how full a page is', async () => {
  const { source, read: counted } = makeSource(bursts, true);
  assert.equal((await read(source, 10_000)).flat().length, 2_000);
  // Both windows have the traces at their boundary.
  assert.ok(counted.traces <= 2_000 + 50, `${counted.traces}`);
});

test('pages of many traces at one moment stay as large as they must be', async () => {
  const { source, limits } = makeSource(Array.from({ length: 5_000 }, (_, at) => 500_000 + at));
  assert.equal((await read(source, 10_000)).flat().length, 5_000);
  assert.ok(limits.length < 25, limits.join());
});

for (const hasIds of [false, true])
  test(`a source that answers at most 100 traces is read whole${hasIds ? ', by ids' : ''}`, async () => {
    for (const starts of [bursts, Array.from({ length: 450 }, (_, at) => at * 2_000)]) {
      const { source, limits } = makeSource(starts, hasIds, 100);
      const pages = await read(source, 10_000);
      assert.deepEqual(
        pages.flat(),
        starts.toSorted((left, right) => right - left),
      );
      assert.ok(limits.length < 150, `${limits.length}`);
    }
  });

for (const [cap, each] of [
  [100, 450],
  [300, 700],
] as const)
  test(`a source that answers at most ${cap} of ${each} traces of one second is said to cut them`, async () => {
    const { source } = makeSource(
      [...bursts.slice(0, 1_000), ...Array.from({ length: each }, (_, at) => 700_000 + at)],
      false,
      cap,
    );
    const cuts: number[] = [];
    const found = (await read(source, 10_000, (from) => void cuts.push(from))).flat();
    assert.ok(found.length < 1_000 + each);
    assert.equal(cuts.length, 1);
    assert.ok((cuts[0] ?? 0) > 699_000 && (cuts[0] ?? 0) <= 700_700, cuts.join());
  });

test('a source without a limit of its own is asked once more for each larger page', async () => {
  const { source, limits } = makeSource(Array.from({ length: 150 }, (_, at) => (at + 1) * 1_000));
  assert.equal((await read(source, 10_000)).flat().length, 150);
  assert.equal(limits.length, 2);
});
