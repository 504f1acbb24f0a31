import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTraces, type Span } from 'propagation-check';
import { EdgeCounters, encodeOtlpLines, TraceJudge } from 'propagation-check/kit';
import { createRandom } from '../create-random.ts';
import { type Capture, corpusFolders, readCorpus } from '../read-corpus.ts';

/** The delay of an export in milliseconds. */
type Delay = (random: () => number, isChosen: boolean) => number;

const second = 1_000;
/** Delays of networks and exporters, shorter and longer than the time after which traces are closed. */
const delays: Readonly<Record<string, Delay>> = {
  'at once': () => 0,
  'out of order, within 15 s': (random) => random() * 15 * second,
  'one service 40 s late': (_, isChosen) => (isChosen ? 40 * second : 0),
  'one export of ten a minute late': (random) => (random() < 0.1 ? 60 * second : 0),
  'half of the exports of a service 90 s late': (random, isChosen) =>
    isChosen && random() < 0.5 ? 90 * second : 0,
};
/** Time after which all traces have left the last window. */
const restMs = 420 * second;
const exportMs = 500;

const captures = corpusFolders.flatMap(readCorpus);

for (const [name, delay] of Object.entries(delays)) {
  test(`captures through the sink, ${name}: no intact call is counted as broken`, () => {
    const next = createRandom(20_261_128);
    const random = () => next() / 2 ** 32;
    for (const capture of captures.filter(({ label }) => label.verdict === 'healthy'))
      assert.deepEqual(listBroken(capture, delay, random), [], capture.name);
  });
}

test('captures through the sink: every break that a check of the whole capture finds is counted', () => {
  let found = 0;
  for (const capture of captures.filter(({ label }) => label.verdict === 'broken')) {
    if (checkTraces(capture.spans).verdict !== 'broken') continue;
    found += 1;
    assert.notDeepEqual(
      listBroken(capture, () => 0, Math.random),
      [],
      capture.name,
    );
  }
  assert.ok(found > 100, `${found} captures`);
});

function listBroken({ spans, batches }: Capture, delay: Delay, random: () => number): readonly string[] {
  const counters = new EdgeCounters(1_000);
  const judge = new TraceJudge({
    ...{ closeAfterMs: 20 * second, maxBytes: Number.MAX_SAFE_INTEGER },
    count: (call, calls) => counters.count(call, calls),
    onFault: (error) => {
      throw error;
    },
  });
  const services = [...new Set(spans.map(({ serviceName }) => serviceName))];
  const chosen = services[Math.floor(random() * services.length)];
  const arrivals = batches
    .filter((batch) => batch.length > 0)
    .map((batch) => ({
      batch,
      at: lastEnd(batch) + exportMs + delay(random, batch[0]?.serviceName === chosen),
    }))
    .sort((one, other) => one.at - other.at);
  let now = arrivals[0]?.at ?? 0;
  for (const { batch, at } of arrivals) {
    for (; now < at; now = Math.min(at, now + second)) judge.tick(now);
    for (const line of encodeOtlpLines(batch).trimEnd().split('\n'))
      judge.take({ signal: 'traces', type: 'application/json', body: Buffer.from(line) }, now);
  }
  for (const end = now + restMs; now < end; now += second) judge.tick(now);
  while (judge.finish(now));
  assert.equal(judge.totals.judged, judge.totals.received);
  return counters
    .list()
    .filter(({ verdict }) => verdict === 'broken')
    .map(({ client, server, cause, calls }) => `${client} → ${server} ${cause}: ${calls}`);
}

function lastEnd(spans: readonly Span[]): number {
  return Math.max(...spans.map(({ endTimeUnixNano }) => Number(endTimeUnixNano / 1_000_000n)));
}
