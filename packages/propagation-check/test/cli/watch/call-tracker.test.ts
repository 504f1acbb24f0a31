import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CallTracker, keyOf } from '../../../src/cli/watch/call-tracker.ts';
import { renderEdgesOnce, renderEdgesView } from '../../../src/cli/watch/render-edges.ts';
import { expectPath, noExpectation } from '../../../src/expect/expectation.ts';
import type { Span } from '../../../src/span/span.ts';
import type { SpanStore } from '../../../src/span/span-store.ts';
import { checkStore } from '../../../src/verdict/check-traces.ts';
import type { Finding } from '../../../src/verdict/result.ts';
import { receivedAndProcessed } from '../../engine/draw-messages.ts';
import { readDrawing } from '../../engine/read-drawing.ts';
import { makeCall, makeSplitCall, withServer } from './make-calls.ts';

const settleMs = 2_000;
const start = 1_800_000_000_000;
const secondMs = 1_000;

const check = (store: SpanStore) => checkStore(store, { mostEvidence: Number.POSITIVE_INFINITY });

/** The edges of a tracker, one line each. */
function countEdges(tracker: CallTracker, now: number): readonly string[] {
  return tracker
    .edges(now)
    .map(
      ({ client, server, calls, broken, newest }) =>
        `${client} -> ${server} ${calls} ${broken} ${newest === null ? '-' : `${newest.finding.id} ${newest.count}`}`,
    );
}

suite('the tracker of calls', () => {
  test('judges a trace once it is quiet', () => {
    const tracker = new CallTracker({ settleMs });
    tracker.add(makeCall('one', start), start);
    assert.equal(tracker.nextDue(start), settleMs);
    tracker.judge(start + settleMs - 1, check);
    assert.deepEqual(countEdges(tracker, start), []);
    tracker.judge(start + settleMs, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 1 0 -']);
    assert.equal(tracker.nextDue(start + settleMs), null);
  });

  test('counts calls of old traces at the time of the calls', () => {
    const tracker = new CallTracker({ settleMs });
    tracker.add([...makeSplitCall('old', start - 90 * secondMs), ...makeCall('new', start)], start);
    tracker.judge(start + settleMs, check);
    const [{ slices = [], newest = null } = {}] = tracker.edges(start + settleMs);
    assert.deepEqual(
      slices.map(({ calls }) => calls),
      [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    );
    assert.equal(newest?.at, start - 90 * secondMs + 40);
  });

  test('reads the spans of an old trace a few times, not once for each of its calls', () => {
    const [root, client, server] = makeCall('large', start - 90 * secondMs);
    assert.ok(root && client && server);
    const calls = Array.from({ length: 200 }, (_, index) => {
      const [sent, received] = [`c${String(index).padStart(15, '0')}`, `d${String(index).padStart(15, '0')}`];
      return [
        { ...client, spanId: sent },
        { ...server, spanId: received, parentSpanId: sent },
      ];
    });
    const spans = [root, ...calls.flat()];
    let reads = 0;
    const counted = spans.map((span) => ({
      ...span,
      get endTimeUnixNano() {
        reads += 1;
        return span.endTimeUnixNano;
      },
    }));
    const tracker = new CallTracker({ settleMs });
    tracker.add(counted, start);
    tracker.judge(start, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 200 0 -']);
    assert.ok(reads < 10 * spans.length, `${reads} reads of ${spans.length} spans`);
  });

  test('gives the verdict of a check: calls between services without names are not calls between two services', () => {
    const spans = makeCall('nameless', start);
    const ended = (made: readonly Span[]) => {
      const tracker = new CallTracker({ settleMs });
      tracker.add(made, start);
      tracker.judge(start + settleMs, check);
      return tracker;
    };
    const nameless = spans.map((span) => ({ ...span, serviceName: null, resource: new Map() }));
    assert.deepEqual(countEdges(ended(nameless), start), ['null -> null 1 0 service-unnamed 3']);
    const [edges, counts] = [ended(nameless).edges(start), ended(nameless).counts()];
    const state = { name: 'file', startedAt: start, now: start, away: null, notes: [], edges, counts };
    assert.match(
      renderEdgesOnce(state, { width: 100, color: false }).join(' '),
      /\(service-unnamed\): 3 spans with it/,
    );
    const verdicts = [nameless, spans, makeSplitCall('split', start), []].map((made) =>
      ended(made).verdict(start),
    );
    assert.deepEqual(verdicts, ['unknown', 'intact', 'broken', 'unknown']);
  });

  test('an edge has no rate where no call is judged, or all are doubtful', () => {
    const tracker = new CallTracker({ settleMs });
    const spans = makeCall('doubtful', start);
    tracker.add(spans, start);
    const now = start + settleMs;
    const [, , called] = spans;
    const evidence = [{ traceId: called?.traceId ?? '', spanId: called?.spanId ?? '', says: '' }];
    const edge = { client: 'web', server: 'orders', protocol: 'http', calls: 1, broken: 0 } as const;
    const finding: Finding = {
      ...{ id: 'context-lost-in-process', severity: 'warning', confidence: 'certain', count: 1, evidence },
      ...{ client: 'web', server: 'orders', protocol: 'http', scopes: { client: [], server: [] } },
      ...{ doubt: 'few', fix: '', docs: '' },
    };
    tracker.judge(now, (store) => ({
      ...check(store),
      edges: [
        { ...edge, doubtful: 1 },
        { ...edge, server: 'stock', calls: 0, unjudged: 12 },
      ],
      findings: [finding],
    }));
    const edges = tracker.edges(now);
    assert.deepEqual(
      edges.map(({ server, calls, unjudged = 0, doubtful = 0 }) => [server, calls, unjudged, doubtful]),
      [
        ['orders', 1, 0, 1],
        ['stock', 0, 12, 0],
      ],
    );
    const state = {
      name: 'file',
      startedAt: start,
      now,
      edges,
      counts: tracker.counts(),
      away: null,
      notes: [],
    };
    const view = renderEdgesOnce(state, { width: 100, color: false }).join('\n');
    assert.match(view, /web → orders +unknown +1 /);
    assert.match(view, /! web → stock +unknown +12 of 12 +0$/m);
    const notes = [`${'word '.repeat(40)}end`];
    const narrow = renderEdgesOnce({ ...state, notes }, { width: 60, color: false }).join('\n');
    assert.match(narrow, /^note {2}word (?:word\s+){39}end$/m);
  });

  test('an edge has no rate where the last traces leave as many calls open as they judge', () => {
    const edge = { client: 'web', server: 'orders', protocol: 'http', broken: 0 } as const;
    const says = '1 of 3 calls judged: why';
    const tracker = new CallTracker({ settleMs });
    const look = (at: number, unjudged: number) => {
      const now = start + at * secondMs;
      tracker.add(makeCall(`${at}`, now), now);
      tracker.judge(now + settleMs, (store) => ({
        ...check(store),
        edges: [{ ...edge, calls: 1, ...(unjudged > 0 ? { unjudged } : {}) }],
        ...(unjudged > 0 ? { undecided: [{ ...edge, says }] } : {}),
      }));
      const state = {
        ...{ name: 'file', startedAt: start, now, away: null, notes: [] },
        ...{ edges: tracker.edges(now), counts: tracker.counts() },
      };
      const layout = { width: 100, color: false };
      return {
        once: renderEdgesOnce(state, layout).join('\n'),
        view: renderEdgesView(state, keyOf(edge), { ...layout, height: 20 }).join('\n'),
      };
    };
    for (let at = 0; at < 400; at += 100)
      assert.match(look(at, 0).once, /edge +intact +calls\n {2}✓ web → orders +100 % +\d/);
    const open = look(400, 2);
    assert.match(open.once, /edge +intact +not judged +calls\n {2}! web → orders +unknown +2 of 3 +5$/m);
    assert.match(open.once, /^note {2}not judged: web -> orders: 1 of 3 calls judged: why$/m);
    assert.match(open.view, /\n\nnot judged: 1 of 3 calls judged: why$/);
    assert.match(look(500, 0).once, /✓ web → orders +100 % +6$/m);
  });

  test('counts a message that a service receives and processes once', () => {
    const { spans } = readDrawing(receivedAndProcessed);
    const at = 1_700_000_000_000;
    const count = (...looks: readonly (readonly Span[])[]): readonly string[] => {
      const tracker = new CallTracker({ settleMs });
      for (const [index, shown] of looks.entries()) {
        tracker.add(shown, at + index * 5 * secondMs);
        tracker.judge(at + index * 5 * secondMs + settleMs, check);
      }
      return countEdges(tracker, at);
    };
    assert.deepEqual(count(spans), ['web -> worker 1 0 -']);
    assert.deepEqual(count(spans.slice(0, 2), spans.slice(2)), ['web -> worker 1 0 -']);
  });

  test('judges traces at once that ended long ago', () => {
    const tracker = new CallTracker({ settleMs });
    tracker.add(makeCall('old', start - 120 * secondMs), start);
    tracker.judge(start, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 1 0 -']);
  });

  test('counts each call once, however often a source shows it, and after it is forgotten', () => {
    const tracker = new CallTracker({ settleMs });
    const shown: Span[] = [];
    const looks = 40;
    let now = start;
    let forgotten = 0;
    for (let look = 0; look < looks; look += 1) {
      now = start + look * 4 * secondMs;
      for (let index = 0; index < 5; index += 1)
        shown.push(...(index === 4 ? makeSplitCall : makeCall)(`${look} ${index}`, now));
      // Each look at Jaeger shows the last minute again.
      tracker.add(shown.slice(-225), now);
      forgotten += tracker.judge(now, check).length;
    }
    now += settleMs;
    tracker.judge(now, check);
    assert.deepEqual(countEdges(tracker, now), [`web -> orders ${looks * 5} ${looks} split-trace ${looks}`]);
    assert.ok(forgotten > (looks - 10) * 6, `${forgotten} traces were forgotten`);
    assert.deepEqual(tracker.counts(), {
      traces: looks * 6,
      open: 0,
      spans: looks * 15,
      leftOut: 0,
      period: { from: start, to: start + 156_040 },
    });
  });

  test('finds a call whose two traces become quiet at different times', () => {
    const tracker = new CallTracker({ settleMs });
    const spans = makeSplitCall('apart', start);
    const [caller, called] = [spans.slice(0, 2), spans.slice(2)];
    tracker.add(caller, start);
    tracker.judge(start + settleMs, check);
    tracker.add(called, start + 5 * secondMs);
    tracker.judge(start + 5 * secondMs + settleMs, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 1 1 split-trace 1']);
    // The trace of the caller is forgotten first. Then the trace of the called service is no new break.
    for (let second = 8; second < 120; second += 1) tracker.judge(start + second * secondMs, check);
    tracker.add(makeCall('later', start + 121 * secondMs), start + 121 * secondMs);
    tracker.judge(start + 125 * secondMs, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 2 1 split-trace 1']);
  });

  test('a late span opens its trace again, and its call is counted', () => {
    const tracker = new CallTracker({ settleMs });
    const spans = makeCall('late', start);
    tracker.add(spans.slice(0, 2), start);
    tracker.judge(start + settleMs, check);
    const before = countEdges(tracker, start);
    tracker.add(spans, start + 4 * secondMs);
    assert.deepEqual(countEdges(tracker, start), before);
    tracker.judge(start + 4 * secondMs + settleMs, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 1 0 -']);
  });

  test('a trace that never ends is judged after five minutes', () => {
    const tracker = new CallTracker({ settleMs });
    const [root] = makeCall('loop', start);
    const call = makeCall('loop', start);
    assert.ok(root !== undefined);
    tracker.add(call, start);
    for (let second = 1; second < 300; second += 1) {
      const now = start + second * secondMs;
      const step = {
        ...root,
        spanId: second.toString(16).padStart(16, '0'),
        parentSpanId: root.spanId,
        kind: 'INTERNAL' as const,
      };
      tracker.add([{ ...step, endTimeUnixNano: BigInt(now) * 1_000_000n }], now);
      tracker.judge(now, check);
    }
    assert.deepEqual(countEdges(tracker, start), []);
    tracker.judge(start + 300 * secondMs, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 1 0 -']);
  });

  test('an expected edge without calls is broken until it is seen', () => {
    const tracker = new CallTracker({ settleMs });
    const mayCall = { client: 'web', server: 'payments', rule: 'may' as const };
    const expectation = { ...noExpectation, edges: [...expectPath(['web', 'orders']), mayCall] };
    const checkExpected = (store: SpanStore) => checkStore(store, { expectation, mostEvidence: 1_000 });
    const others = withServer(makeCall('other', start), 'payments');
    tracker.add(others, start);
    tracker.judge(start + settleMs, checkExpected);
    assert.deepEqual(countEdges(tracker, start), [
      'web -> orders 0 0 missing-call 0',
      'web -> payments 1 0 -',
    ]);
    tracker.add(makeCall('one', start + 5 * secondMs), start + 5 * secondMs);
    tracker.judge(start + 10 * secondMs, checkExpected);
    assert.deepEqual(countEdges(tracker, start), ['web -> payments 1 0 -', 'web -> orders 1 0 -']);
    // An edge that is not seen for a while is not broken.
    tracker.add(
      others.map((span) => ({ ...span, traceId: 'f'.repeat(32) })),
      start + 60 * secondMs,
    );
    tracker.judge(start + 70 * secondMs, checkExpected);
    assert.deepEqual(countEdges(tracker, start), ['web -> payments 2 0 -', 'web -> orders 1 0 -']);
  });

  test('an expected edge is undecided until it is seen, where another service may be meant', () => {
    const tracker = new CallTracker({ settleMs });
    const expectation = { ...noExpectation, edges: expectPath(['web', 'orders']) };
    const checkExpected = (store: SpanStore) => checkStore(store, { expectation, mostEvidence: 1_000 });
    const open = () => tracker.undecided().map(({ client, server }) => `${client} -> ${server}`);
    tracker.add(withServer(makeCall('other', start), 'payments'), start);
    tracker.judge(start + settleMs, checkExpected);
    assert.deepEqual(open(), ['web -> orders']);
    tracker.add(makeCall('one', start + 5 * secondMs), start + 5 * secondMs);
    tracker.judge(start + 10 * secondMs, checkExpected);
    assert.deepEqual(open(), []);
    tracker.add(withServer(makeCall('two', start + 60 * secondMs), 'payments'), start + 60 * secondMs);
    tracker.judge(start + 70 * secondMs, checkExpected);
    assert.deepEqual(open(), [], 'not seen for a while');
  });

  test('the newest break comes first, and each slice of the trend is at its place', () => {
    const tracker = new CallTracker({ settleMs });
    tracker.add(withServer(makeSplitCall('one', start), 'payments'), start);
    tracker.judge(start + settleMs, check);
    tracker.add(makeSplitCall('two', start + 10 * secondMs), start + 10 * secondMs);
    tracker.add(withServer(makeCall('three', start + 10 * secondMs), 'stock'), start + 10 * secondMs);
    const now = start + 10 * secondMs + settleMs;
    tracker.judge(now, check);
    assert.deepEqual(
      tracker.edges(now).map(({ server, slices }) => [server, slices.slice(-2)]),
      [
        [
          'orders',
          [
            { calls: 0, broken: 0 },
            { calls: 1, broken: 1 },
          ],
        ],
        [
          'payments',
          [
            { calls: 1, broken: 1 },
            { calls: 0, broken: 0 },
          ],
        ],
        [
          'stock',
          [
            { calls: 0, broken: 0 },
            { calls: 1, broken: 0 },
          ],
        ],
      ],
    );
  });

  test('counts the spans for which there was no room', () => {
    const tracker = new CallTracker({ settleMs, maxSpans: 30 });
    for (let index = 0; index < 20; index += 1) tracker.add(makeCall(String(index), start), start);
    tracker.judge(start, check);
    assert.equal(tracker.counts().leftOut, 30);
    tracker.judge(start + settleMs, check);
    assert.deepEqual(countEdges(tracker, start), ['web -> orders 10 0 -']);
  });
});
