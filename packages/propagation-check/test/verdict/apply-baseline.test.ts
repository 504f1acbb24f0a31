import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { describeFixed } from '../../src/collect/describe-fixed.ts';
import { explainNothingToJudge } from '../../src/collect/explain-nothing-to-judge.ts';
import { noExpectation } from '../../src/expect/expectation.ts';
import { isToleratedEdge } from '../../src/rules/tolerated-peer.ts';
import { applyBaseline, type Baseline, listFixed, updateBaseline } from '../../src/verdict/apply-baseline.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { decideOutcome } from '../../src/verdict/decide-verdict.ts';
import type { Result } from '../../src/verdict/result.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const split = checkFixtureDrawing('split-trace/broken.txt');
const stripped = checkFixtureDrawing('header-stripped/broken.txt');
const warned = checkFixtureDrawing('span-lost-in-service/shown.txt');
const healthy = checkFixtureDrawing('split-trace/healthy.txt');
const edge = { client: 'web', server: 'orders' };
const known: Baseline = [{ ...edge, finding: 'split-trace' }];

suite('a baseline', () => {
  test('accepts a known finding on its own edge only', () => {
    assert.equal(split.verdict, 'broken');
    const { verdict, findings, edges } = applyBaseline(split, known);
    assert.equal(verdict, 'intact');
    assert.deepEqual(
      findings.map(({ id, known }) => [id, known]),
      [['split-trace', true]],
    );
    assert.deepEqual(
      edges.map(({ broken, known }) => [broken, known]),
      [[1, true]],
    );
    for (const other of [
      { ...edge, finding: 'baggage-lost' },
      { client: 'web', server: 'other', finding: 'split-trace' },
      { client: null, server: 'orders', finding: 'split-trace' },
    ] as const) {
      const result = applyBaseline(split, [other]);
      assert.deepEqual(result, split);
    }
  });

  test('distinguishes a repaired finding from one with another cause', () => {
    const other: Baseline = [{ ...edge, finding: 'split-trace', cause: 'baggage-lost' }];
    const [note = '', ...more] = describeFixed(split, other, 'known.yaml');
    assert.match(
      note,
      /^of another likeliest cause .*: split-trace of web -> orders \(baggage-lost, now [a-z-]+\);/,
    );
    assert.deepEqual(more, []);
    assert.deepEqual(describeFixed(split, known, 'known.yaml'), []);
    assert.deepEqual(describeFixed(healthy, other, 'known.yaml'), [
      'fixed: split-trace of web -> orders no longer occurs; remove it from known.yaml, or --update-baseline',
    ]);
  });

  test('closes an edge that a doubt or a warning leaves open only if it knows the finding in the same protocol', () => {
    const doubted = checkFixtureDrawing('context-lost-in-process/shown-listener.txt');
    const [warning] = doubted.findings;
    assert.deepEqual([doubted.verdict, warning?.severity], ['unknown', 'warning']);
    assert.deepEqual(applyBaseline(doubted, []), doubted);
    const accepted = updateBaseline(doubted, [], 'warning');
    assert.equal(applyBaseline(doubted, accepted).verdict, 'intact');
    const both: Result = {
      ...doubted,
      findings: doubted.findings.flatMap((one) => [one, { ...one, protocol: 'messaging' }]),
    };
    assert.equal(applyBaseline(both, accepted).undecided, undefined);
  });

  test('leaves nothing behind when it is applied again or removed', () => {
    assert.deepEqual(applyBaseline(applyBaseline(split, known), known), applyBaseline(split, known));
    assert.deepEqual(applyBaseline(applyBaseline(split, known), []), split);
  });

  test('leaves an edge broken if it knows one of two errors', () => {
    const [first] = split.findings;
    assert.ok(first);
    const both = { ...split, findings: [first, { ...first, id: 'baggage-lost' as const, candidates: [] }] };
    const { verdict, edges, findings } = applyBaseline(both, known);
    assert.equal(verdict, 'broken');
    assert.deepEqual(
      [edges[0]?.known, findings.map((finding) => finding.known)],
      [undefined, [true, undefined]],
    );
  });

  test('accepts the cause of a known symptom, and the symptom of a known cause', () => {
    assert.deepEqual(
      stripped.findings.map(({ id }) => id),
      ['header-stripped'],
    );
    const symptom: Baseline = [{ ...edge, finding: 'split-trace', cause: 'header-stripped' }];
    assert.equal(applyBaseline(stripped, symptom).verdict, 'intact');
    const [first, second] = split.findings[0]?.candidates ?? [];
    assert.ok(first !== undefined && second !== undefined);
    const accept = (...baseline: Baseline) => applyBaseline(split, baseline).verdict;
    assert.equal(accept({ ...edge, finding: first }), 'intact');
    assert.equal(accept({ ...edge, finding: 'split-trace', cause: first }), 'intact');
    // Another break with the same symptom.
    assert.equal(accept({ ...edge, finding: second }), 'broken');
    assert.equal(accept({ ...edge, finding: 'split-trace', cause: second }), 'broken');
    // A symptom whose cause is now another.
    assert.equal(applyBaseline(stripped, known).verdict, 'broken');
  });

  test('accepts an edge in its own protocol only', () => {
    const [brokenEdge] = split.edges;
    const [found] = split.findings;
    assert.ok(brokenEdge !== undefined && found !== undefined);
    const intact = { ...brokenEdge, protocol: 'messaging', broken: 0 } as const;
    const http = { ...split, edges: [brokenEdge, intact] };
    const messages: Result = {
      ...split,
      edges: [
        { ...brokenEdge, broken: 0 },
        { ...intact, broken: 1 },
      ],
      findings: [{ ...found, protocol: 'messaging' }],
    };
    const baseline = updateBaseline(http, [], 'error');
    const accepted = applyBaseline(http, baseline);
    assert.deepEqual(
      [accepted.verdict, ...accepted.edges.map(({ known }) => known)],
      ['intact', true, undefined],
    );
    assert.equal(applyBaseline(messages, baseline).verdict, 'broken');
    assert.deepEqual(
      updateBaseline(messages, baseline, 'error').map(({ protocol }) => protocol),
      ['messaging'],
    );
    const both = {
      ...split,
      edges: [brokenEdge, { ...intact, broken: 1 }],
      findings: [found, ...messages.findings],
    };
    assert.equal(updateBaseline(both, [], 'error').length, 2);
    assert.equal(applyBaseline(both, updateBaseline(both, [], 'error')).verdict, 'intact');
    // A hand-written entry without a protocol.
    assert.equal(applyBaseline(both, known).verdict, 'intact');
  });

  test('gives no verdict if it accepts an expected edge and no call was judged', () => {
    const { spans } = readDrawing('trace 1\n  web INTERNAL "tick" 0..10\n');
    const edges = [{ ...edge, rule: 'must' as const }];
    const unseen = checkTraces(spans, { expectation: { ...noExpectation, edges } });
    assert.equal(unseen.verdict, 'broken');
    const accepted = applyBaseline(unseen, updateBaseline(unseen, [], 'error'));
    assert.equal(accepted.verdict, 'unknown');
    assert.equal(accepted.edges[0]?.known, true);
  });

  test('leaves nothing undecided if it knows the warnings, and gives no verdict if nothing else is judged', () => {
    const half = checkFixtureDrawing('missing-server/shown-half.txt');
    assert.equal(half.undecided?.length, 1);
    const accepted = applyBaseline(half, [{ ...edge, finding: 'missing-server' }]);
    assert.equal(accepted.verdict, 'intact');
    assert.ok(!('undecided' in accepted));
    assert.deepEqual(applyBaseline(accepted, [{ ...edge, finding: 'missing-server' }]), accepted);
    const open = checkFixtureDrawing('missing-call/shown-possible-by-agent.txt');
    const rest = applyBaseline(open, [{ ...edge, finding: 'missing-call' }]);
    assert.deepEqual([rest.verdict, rest.undecided], ['unknown', undefined]);
    assert.match(
      explainNothingToJudge(rest, ['web', 'orders'], noExpectation),
      /^nothing is judged but what the baseline knows \(12 traces, 12 spans\)$/,
    );
  });

  test('never turns an unknown result into a verdict', () => {
    assert.equal(applyBaseline({ ...healthy, verdict: 'unknown' }, known).verdict, 'unknown');
  });
});

suite('an entry is fixed', () => {
  test('if its edge was judged without the finding', () => {
    assert.deepEqual(listFixed(split, known), []);
    assert.deepEqual(listFixed(healthy, known), known);
  });

  test('not if its edge was not judged, or one side is unknown', () => {
    const other: Baseline = [
      { client: 'web', server: 'payments', finding: 'split-trace' },
      { client: null, server: 'orders', finding: 'missing-client' },
    ];
    const [first] = healthy.edges;
    assert.ok(first);
    const edges = [...healthy.edges, { ...first, client: null }];
    assert.deepEqual(listFixed({ ...healthy, edges }, other), []);
    const never = { ...healthy, edges: healthy.edges.map((each) => ({ ...each, calls: 0 })) };
    assert.deepEqual(listFixed(never, known), []);
  });

  test('within a service, if the service calls or is called', () => {
    const within = (service: string): Baseline => [
      { client: service, server: service, finding: 'context-lost-in-process' },
    ];
    assert.deepEqual(listFixed(healthy, within('web')), within('web'));
    assert.deepEqual(listFixed(healthy, within('payments')), []);
  });
});

suite('an update', () => {
  test('adds failing findings, once, with the likeliest cause and without trace ids', () => {
    const cause = split.findings[0]?.candidates?.[0];
    assert.ok(cause);
    const twice = { ...split, findings: [...split.findings, ...split.findings] };
    assert.deepEqual(updateBaseline(twice, [], 'error'), [
      { ...edge, protocol: 'http', finding: 'split-trace', cause },
    ]);
    assert.equal(applyBaseline(split, updateBaseline(split, [], 'error')).verdict, 'intact');
  });

  test('keeps known findings and entries that were not judged; drops fixed entries', () => {
    const elsewhere = { client: 'a', server: 'b', finding: 'header-ignored' } as const;
    assert.deepEqual(updateBaseline(split, [...known, elsewhere], 'error'), [elsewhere, ...known]);
    assert.deepEqual(updateBaseline(healthy, [...known, elsewhere], 'error'), [elsewhere]);
  });

  test('adds warnings if warnings fail the check', () => {
    assert.deepEqual(
      warned.findings.filter(({ severity }) => severity === 'warning').map(({ id }) => id),
      ['span-lost-in-service'],
    );
    assert.deepEqual(updateBaseline(warned, [], 'error'), []);
    const baseline = updateBaseline(warned, [], 'warning');
    assert.equal(baseline.length, 1);
    assert.equal(decideOutcome(warned, 'warning'), 'failed');
    assert.equal(decideOutcome(warned, 'error'), 'passed');
    assert.equal(decideOutcome(applyBaseline(warned, baseline), 'warning'), 'passed');
  });
});

suite('a tolerated peer', () => {
  const drawing = `
trace 1
  web      SERVER "GET /" 0..100 http.request.method=GET url.path=/
    web    CLIENT "GET" 5..95 http.request.method=GET url.full=http://orders/work http.response.status_code=200
      orders SERVER "GET /work" 10..90 http.request.method=GET url.path=/work
        orders CLIENT "POST" 20..80 http.request.method=POST url.full=http://vendor.example/charge http.response.status_code=200
trace 2
  vendor   SERVER "POST /charge" 30..70 http.request.method=POST url.path=/charge server.address=vendor.example
`;
  const { spans } = readDrawing(drawing);
  const judge = (...toleratedPeers: readonly string[]) =>
    checkTraces(spans, { expectation: { ...noExpectation, toleratedPeers } });
  const describe = ({ edges }: Result) =>
    edges.map(({ client, server, calls, tolerated }) => [client, server, calls, tolerated ?? false]);

  test('by its service is listed, and its findings do not fail', () => {
    assert.equal(judge().verdict, 'broken');
    for (const name of ['vendor', 'VENDOR', 'orders -> vendor']) {
      const result = judge(name);
      assert.equal(result.verdict, 'intact', name);
      assert.deepEqual(describe(result), [
        ['web', 'orders', 1, false],
        ['orders', 'vendor', 1, true],
      ]);
      assert.deepEqual(
        result.findings.filter(({ severity }) => severity === 'error').map(({ tolerated }) => tolerated),
        [true],
      );
    }
    assert.equal(judge('web -> vendor').verdict, 'broken');
  });

  test('that emits spans is judged as a caller, unless the edge is named', () => {
    for (const name of ['orders', 'web']) {
      const result = judge(name);
      assert.equal(result.verdict, 'broken', name);
      assert.deepEqual(
        describe(result).find(([client]) => client === 'orders'),
        ['orders', 'vendor', 1, false],
      );
    }
    assert.deepEqual(describe(judge('web -> orders')), [
      ['orders', 'vendor', 1, false],
      ['web', 'orders', 1, true],
    ]);
  });

  test('that emits no spans is tolerated as a caller too', () => {
    const expectation = { ...noExpectation, toleratedPeers: ['gateway'] };
    const calls = { client: 'gateway', server: 'orders' };
    assert.deepEqual(
      [false, true].map((hasSpans) => isToleratedEdge(expectation, calls, hasSpans)),
      [true, false],
    );
  });

  test('by its host is listed too, as it is named', () => {
    for (const name of ['vendor.example', 'orders -> vendor.example:80']) {
      const result = judge(name);
      assert.equal(result.verdict, 'intact', name);
      const peer = name.replace(/.*-> /, '');
      assert.deepEqual(describe(result), [
        ['web', 'orders', 1, false],
        ['orders', peer, 1, true],
      ]);
    }
  });

  test('gives nothing to judge', () => {
    const alone = spans.filter(({ serviceName }) => serviceName !== 'web');
    const expectation = { ...noExpectation, toleratedPeers: ['vendor.example'] };
    assert.equal(checkTraces(alone, { expectation }).verdict, 'unknown');
  });

  test('is judged if an edge to it is required', () => {
    const edges = [{ client: 'orders', server: 'vendor', rule: 'must' as const }];
    const expectation = { ...noExpectation, edges, toleratedPeers: ['vendor'] };
    assert.equal(checkTraces(spans, { expectation }).verdict, 'broken');
  });
});
