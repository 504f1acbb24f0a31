import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmUp } from '../../src/cli/warm-up.ts';
import type { Source } from '../../src/source/source.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawTrace } from '../draw-trace.ts';

const [request] = drawTrace(
  '\n  CLIENT propagation-check GET   a1   0..10 http.request.method=GET url.full=http://web/\n',
);
assert.ok(request);
const own = request;

const receiver = (revision: number): Source => ({
  ...{ name: 'otlp', isReceiver: true, revision },
  readTrace: async () => [],
  searchTraces: async () => [],
  close: async () => {},
});

test('the made-up spans have a whole call and a broken one', async () => {
  const results: Result[] = [];
  await warmUp(own, receiver(0), async (source) => {
    const query = { service: null, startTimeMin: 0, startTimeMax: Number.MAX_SAFE_INTEGER, limit: 9 };
    const spans = await source.searchTraces(query);
    assert.equal((await source.readTrace(own.traceId)).length, spans.length - 1);
    results.push(checkTraces([own, ...spans]));
  });
  const [result] = results;
  assert.deepEqual(
    result?.edges.map(({ client, server, calls, broken }) => [client, server, calls, broken]),
    [
      ['propagation-check', 'caller', 1, 0],
      ['caller', 'called', 2, 1],
    ],
  );
});

test('stops once a span has arrived', async () => {
  await warmUp(own, receiver(1), async () => assert.fail('it was checked'));
});

for (const [what, isReceiver, arriveAt, looks] of [
  ['before each step of a receiver', true, Number.POSITIVE_INFINITY, 3],
  ['and ends at the first arrival', true, 2, 2],
  ['and other sources are checked alone: they read with other decoders', false, Number.POSITIVE_INFINITY, 1],
] as const) {
  test(`checks for arrived spans between its steps, ${what}`, async () => {
    let looked = 0;
    let turns = 0;
    const source: Source = {
      ...receiver(0),
      isReceiver,
      get revision() {
        looked += 1;
        // Pending events are handled before each look.
        assert.equal(turns, looked);
        setImmediate(() => (turns += 1));
        return looked >= arriveAt ? 1 : 0;
      },
    };
    let checks = 0;
    setImmediate(() => (turns += 1));
    await warmUp(own, source, async () => {
      checks += 1;
    });
    assert.deepEqual([looked, checks], [looks, 1]);
  });
}
