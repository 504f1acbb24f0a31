import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AuditResult } from '../../src/audit/audit-result.ts';
import { type AuditState, nextState, readState, renderState } from '../../src/audit/audit-state.ts';
import { type AuditInput, auditWindow } from '../../src/audit/audit-window.ts';
import { describeCalls, describeCauses } from '../../src/audit/report/describe-audit.ts';
import type { EdgeResult, Finding, Result } from '../../src/verdict/result.ts';

const hour = 3_600_000;
const end = Date.parse('2026-11-28T22:00:00Z');
const complete = { complete: true, says: '' };

function makeEdge(edge: Partial<EdgeResult>): EdgeResult {
  return { client: 'web', server: 'orders', protocol: 'http', calls: 100, broken: 0, ...edge };
}

function makeFinding(finding: Partial<Finding>): Finding {
  return {
    ...{ id: 'header-stripped', severity: 'error', client: 'web', server: 'orders', protocol: 'http' },
    ...{ confidence: 'certain', count: 1, scopes: { client: [], server: [] }, fix: '', docs: '' },
    evidence: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), says: '' }],
    ...finding,
  };
}

function makeResult(edges: readonly EdgeResult[], findings: readonly Finding[] = []): Result {
  const verdict = findings.some(({ severity }) => severity === 'error')
    ? 'broken'
    : edges.length > 0
      ? 'intact'
      : 'unknown';
  return { version: 1, verdict, traces: 9, spans: 27, edges, findings };
}

function audit(now: Result, input: Partial<AuditInput> & { readonly past?: Result } = {}): AuditResult {
  const { past, ...others } = input;
  return auditWindow({
    source: 'spans.jsonl',
    now: { window: { from: end - hour, to: end }, result: now, seen: complete },
    before:
      past === undefined
        ? null
        : { window: { from: end - 2 * hour, to: end - hour }, result: past, seen: complete },
    ...{ state: null, failUnder: null, failOn: 'error' },
    ...others,
  });
}

const broken = makeResult([makeEdge({ broken: 1 })], [makeFinding({})]);

suite('an audit', () => {
  test('has calls, rate, causes and examples of each edge', () => {
    const { edges, window, before, outcome } = audit(broken);
    const [edge] = edges;
    assert.equal(outcome, 'failed');
    assert.deepEqual([edge?.calls, edge?.broken, edge?.rate?.value], [100, 1, 0.99]);
    assert.deepEqual(edge?.causes, [
      {
        ...{ id: 'header-stripped', severity: 'error', confidence: 'certain', count: 1 },
        examples: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }],
      },
    ]);
    assert.deepEqual([window.from, window.to], ['2026-11-28T21:00:00.000Z', '2026-11-28T22:00:00.000Z']);
    assert.equal(before, null);
    assert.equal(edge?.trend, null);
  });

  test('counts calls with only a warning as intact, and reports how many they are', () => {
    const warned = makeResult([makeEdge({})], [makeFinding({ severity: 'warning', count: 3 })]);
    const { edges } = audit(warned);
    assert.deepEqual([edges[0]?.rate?.value, edges[0]?.suspected], [1, 3]);
    const [met] = audit(broken, { failUnder: 0.9 }).edges;
    assert.equal(met?.suspected, 0);
  });

  test('leaves doubtful and unjudged calls out of the rate', () => {
    const [doubtful, open] = [
      makeEdge({ doubtful: 100 }),
      makeEdge({ doubtful: 20, broken: 40, unjudged: 50 }),
    ].map((edge) => audit(makeResult([edge], [])).edges[0]);
    assert.equal(doubtful?.rate, null);
    assert.deepEqual([open?.rate?.intact, open?.rate?.of], [40, 80]);
    assert.deepEqual(
      [doubtful, open].map((edge) => edge && describeCalls(edge)),
      ['100 (100 doubtful)', '100 of 150 (20 doubtful)'],
    );
  });

  test('distinguishes doubtful calls from unjudged ones', () => {
    const edge = makeEdge({ doubtful: 10, unjudged: 16 });
    const findings = [
      makeFinding({ id: 'context-lost-in-process', severity: 'warning', count: 10 }),
      makeFinding({ id: 'missing-call', severity: 'warning', count: 16 }),
    ];
    const [shown] = audit(makeResult([edge], findings)).edges;
    assert.match(
      shown === undefined ? '' : describeCauses(shown, null),
      /^10 of them may be broken; 16 others may be broken; /,
    );
  });

  test('has a window without bounds where everything was read', () => {
    const now = {
      window: { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY },
      ...{ result: broken, seen: complete },
    };
    const { window } = audit(broken, { now });
    assert.deepEqual([window.from, window.to], [null, null]);
  });

  test('compares broken calls of an unknown service with all calls of the known one', () => {
    const lost = makeEdge({ client: null, calls: 2, broken: 2 });
    const within = makeEdge({ client: 'orders', calls: 1, broken: 1, protocol: 'internal' });
    const called = makeEdge({ server: null, calls: 4, broken: 4 });
    const { edges } = audit(makeResult([makeEdge({ calls: 97 }), lost, within, called]));
    assert.deepEqual(
      edges.map(({ client, server, rate }) => [client, server, rate?.intact, rate?.of]),
      [
        ['orders', 'orders', 99, 100],
        ['web', 'orders', 97, 97],
        ['web', null, 97, 101],
        [null, 'orders', 98, 100],
      ],
    );
  });

  test('reports a change only where the counts prove it', () => {
    const changeOf = (brokenBefore: number, brokenNow: number, calls: number) =>
      audit(makeResult([makeEdge({ calls, broken: brokenNow })]), {
        past: makeResult([makeEdge({ calls, broken: brokenBefore })]),
      }).edges[0]?.trend?.change;
    assert.equal(changeOf(0, 1, 10), 'unproven');
    assert.equal(changeOf(0, 1_000, 10_000), 'worse');
    assert.equal(changeOf(1_000, 0, 10_000), 'better');
  });

  test('an edge without calls in one of the windows has no trend; one that has vanished is named', () => {
    const other = makeEdge({ server: 'payments' });
    const { edges, vanished } = audit(makeResult([makeEdge({})]), { past: makeResult([other]) });
    assert.equal(edges[0]?.trend, null);
    assert.deepEqual(vanished, [{ client: 'web', server: 'payments', protocol: 'http' }]);
  });
});

suite('--fail-under', () => {
  test('fails by the rate below the limit, and reports whether the interval proves it', () => {
    const few = audit(broken, { failUnder: 0.995 });
    assert.deepEqual([few.outcome, few.edges[0]?.below], ['failed', 'unproven']);
    const many = makeResult([makeEdge({ calls: 100_000, broken: 1_000 })], [makeFinding({ count: 1_000 })]);
    assert.equal(audit(many, { failUnder: 0.995 }).edges[0]?.below, 'proven');
  });

  test('errors are warnings at the limit and above it', () => {
    const { outcome, edges, result } = audit(broken, { failUnder: 0.99 });
    assert.equal(outcome, 'passed');
    assert.equal(edges[0]?.below, undefined);
    assert.deepEqual([result.verdict, result.findings[0]?.severity], ['intact', 'warning']);
  });

  test('an edge above the limit does not compensate for one below it', () => {
    const place = { server: 'payments' };
    const both = makeResult(
      [makeEdge({ broken: 1 }), makeEdge({ ...place, broken: 10 })],
      [makeFinding({}), makeFinding(place)],
    );
    const { outcome, edges } = audit(both, { failUnder: 0.99 });
    assert.equal(outcome, 'failed');
    assert.deepEqual(
      edges.map(({ below }) => below),
      [undefined, 'proven'],
    );
  });

  test('an expected edge that was never seen fails', () => {
    const never = makeResult([makeEdge({ calls: 0 })], [makeFinding({ id: 'missing-call', count: 0 })]);
    const { outcome, edges } = audit(never, { failUnder: 0.5 });
    assert.equal(outcome, 'failed');
    assert.deepEqual(
      edges.map((edge) => describeCauses(edge, null)),
      ['missing-call'],
    );
  });

  test('an accepted edge is not below the limit', () => {
    const known = makeResult([makeEdge({ broken: 50, known: true })], [makeFinding({ known: true })]);
    const { outcome, edges } = audit({ ...known, verdict: 'intact' }, { failUnder: 0.99 });
    assert.deepEqual([outcome, edges[0]?.below], ['passed', undefined]);
  });

  test('without a judged call the outcome is unknown', () => {
    assert.equal(audit(makeResult([]), { failUnder: 0.99 }).outcome, 'unknown');
  });
});

suite('what is new since the last run', () => {
  const at = new Date(end);
  const after = (result: Result, before: AuditState | null = null) => nextState(before, audit(result), at);

  test('nothing without an earlier run', () => {
    const { edges, lastRun } = audit(broken);
    assert.equal(lastRun, null);
    assert.deepEqual(
      [edges[0]?.isNew, edges[0]?.causes[0]?.isNew, edges[0]?.gone],
      [undefined, undefined, undefined],
    );
  });

  test('an edge and its causes', () => {
    const { edges, lastRun } = audit(broken, { state: after(makeResult([])) });
    assert.equal(lastRun, '2026-11-28T22:00:00.000Z');
    assert.deepEqual([edges[0]?.isNew, edges[0]?.causes[0]?.isNew], [true, true]);
  });

  test('a cause of a known edge, and one that has gone', () => {
    const intact = makeResult([makeEdge({})]);
    const [fresh] = audit(broken, { state: after(intact) }).edges;
    assert.deepEqual([fresh?.isNew, fresh?.causes[0]?.isNew, fresh?.gone], [undefined, true, undefined]);
    const [healed] = audit(intact, { state: after(broken) }).edges;
    assert.deepEqual([healed?.gone, healed?.causes], [['header-stripped'], []]);
    const [same] = audit(broken, { state: after(broken) }).edges;
    assert.deepEqual([same?.causes[0]?.isNew, same?.gone], [undefined, undefined]);
  });

  test('an edge is not new after a run without calls of it', () => {
    const state = after(makeResult([]), after(broken));
    const [edge] = audit(broken, { state }).edges;
    assert.deepEqual([edge?.isNew, edge?.causes[0]?.isNew], [undefined, undefined]);
  });

  test('a window that was read in part makes nothing new, gone or vanished', () => {
    const window = { from: end - hour, to: end };
    const part = (result: Result) => ({ window, result, seen: { complete: false, says: 'a part' } });
    const intact = makeResult([makeEdge({})]);
    const known = after(broken);
    const partial = audit(broken, {
      now: part(intact),
      state: known,
      past: makeResult([makeEdge({ server: 'x' })]),
    });
    assert.deepEqual([partial.edges[0]?.gone, partial.vanished], [undefined, []]);
    const still = nextState(known, partial, at);
    assert.deepEqual(still.edges, known.edges);
    assert.equal(still.partial, undefined);
    const first = nextState(null, audit(broken, { now: part(intact) }), at);
    assert.deepEqual(readState(renderState(first)), first);
    const [edge] = audit(broken, { state: first }).edges;
    assert.deepEqual([edge?.isNew, edge?.causes[0]?.isNew], [undefined, undefined]);
    assert.deepEqual(
      audit(broken, { state: nextState(first, audit(intact), at) }).edges[0]?.causes[0]?.isNew,
      true,
    );
  });

  test('a state is read as it was written, and other texts are refused', () => {
    const state = after(broken);
    assert.deepEqual(readState(renderState(state)), state);
    for (const text of [
      '',
      '{}',
      '[]',
      '{"version":1,"verdict":"intact"}',
      renderState(state).replace('"http"', '"smtp"'),
    ])
      assert.equal(readState(text), null, text);
  });
});
