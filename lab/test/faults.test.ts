import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { faultNames, faults } from 'faults';
import type { Finding, Result, Span } from 'propagation-check';
import { drawTrace } from 'propagation-check/test';
import { updateFaultTable } from '../fault-matrix/document.ts';
import { expectations } from '../fault-matrix/expectations.ts';
import { isRight, renderMatrix, renderMatrixJson, type ScoredCase } from '../fault-matrix/report.ts';
import { restoreEnds } from '../fault-matrix/restore-ends.ts';
import { type Score, scoreBroken, scoreHealthy, scoreStatements } from '../fault-matrix/score.ts';
import { variantNames } from '../fault-matrix/variants/variant.ts';
import { runLab } from './run.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the table of faults', () => {
  it('has an expectation for each', () => {
    assert.ok(faultNames.length > 0);
    assert.deepEqual(Object.keys(expectations).toSorted(), faultNames);
  });

  it('names the place that the fault changes', () => {
    for (const [name, { where, tap, environment, preload }] of faults) {
      const places = [
        ...Object.keys({ ...environment, ...preload }),
        ...(tap === undefined ? [] : ['proxy']),
      ];
      assert.ok(places.includes(where), name);
    }
  });

  it('is up to date in docs/faults.md', () => {
    const page = readFileSync(join(root, 'docs', 'faults.md'), 'utf8');
    assert.equal(updateFaultTable(page), page, 'run `npm run faults -- --document`');
    for (const name of [...faultNames, ...variantNames]) assert.ok(page.includes(`\`${name}\``), name);
  });
});

describe('restored ends of spans', () => {
  const drawing = `
    trace a
    SERVER service-a GET /call-b  a1  0..40
      CLIENT service-a GET        a2  10..30
    trace b
    SERVER service-b GET /work    b1  20..25
    trace c
    SERVER service-a GET /call-b  c1  50..190
      CLIENT service-a GET        c2  60..62
    trace d
    SERVER service-b GET /work    d1  170..175`;

  it('are not before the end of the call that a span waited for', () => {
    const ends = (spans: readonly Span[]) =>
      spans.map(({ endTimeUnixNano }) => Number(endTimeUnixNano / 1_000_000n) - 1_700_000_000_000);
    assert.deepEqual(ends(restoreEnds(drawTrace(drawing))), [40, 30, 25, 190, 170, 175]);
    const cut = drawing.replace('50..190', '50..55');
    assert.deepEqual(ends(restoreEnds(drawTrace(cut))), [40, 30, 25, 170, 170, 175]);
  });
});

describe('the score of a broken system', () => {
  const expected = { finding: 'split-trace', cause: 'header-stripped', count: 8 } as const;
  const right = { id: 'split-trace', candidates: ['header-not-sent', 'header-stripped'] } as const;

  it('is right for the symptom with the cause among its candidates', () => {
    assert.deepEqual(scoreBroken(toResult([right]), expected), {
      grade: 'undecided',
      reported: 'split-trace',
      problems: [],
    });
  });

  it('is right for the cause when only a symptom was expected', () => {
    const score = scoreBroken(toResult([{ id: 'header-stripped' }]), expected);
    assert.deepEqual([score.grade, score.problems], ['named', []]);
  });

  it('is right for the cause', () => {
    const named = { ...expected, finding: 'header-stripped' } as const;
    const score = scoreBroken(toResult([{ id: 'header-stripped' }]), named);
    assert.deepEqual([score.grade, score.problems], ['named', []]);
  });

  for (const [what, result, grade] of [
    ['nothing was found', toResult([]), 'missed'],
    ['another cause', toResult([{ id: 'header-not-sent' }]), 'wrong'],
    [
      'the cause is not among the candidates',
      toResult([{ ...right, candidates: ['header-not-sent'] }]),
      'wrong',
    ],
    ['another error beside it', toResult([right, { id: 'missing-server' }]), 'undecided'],
    ['another error before it', toResult([{ id: 'missing-server' }, right]), 'undecided'],
    ['another count', toResult([{ ...right, count: 7 }]), 'undecided'],
    ['another number of broken calls', toResult([right], 7), 'undecided'],
    ['a warning only', toResult([{ ...right, severity: 'warning' }]), 'missed'],
  ] as const) {
    it(`is not right: ${what}`, () => {
      const score = scoreBroken(result, expected);
      assert.equal(score.grade, grade);
      assert.notDeepEqual(score.problems, []);
    });
  }

  it('counts a warning when the fault causes one', () => {
    const skew = toResult([{ id: 'clock-skew', severity: 'warning' }], 0);
    const score = scoreBroken(skew, { finding: 'clock-skew', cause: 'clock-skew', count: 8 });
    assert.deepEqual([score.grade, score.problems], ['named', []]);
  });
});

describe('the score of a healthy system', () => {
  it('is right when nothing is found', () => {
    assert.deepEqual(scoreHealthy(toResult([], 0)), { grade: 'healthy', reported: null, problems: [] });
  });

  for (const [what, result, grade] of [
    ['an error', toResult([{ id: 'missing-server' }]), 'false alarm'],
    ['a warning that is a fault', toResult([{ id: 'clock-skew', severity: 'warning' }], 0), 'false alarm'],
    ['no call at all', { ...toResult([], 0), edges: [] }, 'healthy'],
  ] as const) {
    it(`is not right: ${what}`, () => {
      const score = scoreHealthy(result);
      assert.equal(score.grade, grade);
      assert.notDeepEqual(score.problems, []);
    });
  }
});

describe('the score of the statements', () => {
  const row = {
    fails: [2],
    failsInManual: [2, 10],
    failsInOthers: [5],
    shownBy: 'all but the first',
  } as const;

  it('is right for the failing statements of the row in its mode', () => {
    assert.deepEqual(scoreStatements([[5], [2]], row, 'auto'), []);
    assert.deepEqual(scoreStatements([[5], [2, 10]], row, 'manual'), []);
  });

  it('names the requests with other failing statements', () => {
    assert.deepEqual(scoreStatements([[], [2], [3], [3]], row, 'auto'), [
      'statements none fail instead of 5 (request 1)',
      'statements 3 fail instead of 2 (request 3, 4)',
    ]);
  });
});

describe('the matrix', () => {
  const good: Score = { grade: 'named', reported: 'clock-skew', problems: [] };
  const alarm: Score = {
    grade: 'false alarm',
    reported: 'split-trace',
    problems: ['false alarm: split-trace'],
  };
  const quiet: Score = { grade: 'healthy', reported: null, problems: [] };
  const cases: readonly ScoredCase[] = [
    { name: 'clock-skew', mode: 'auto', isHealthy: false, scores: score(good, good, null) },
    { name: 'clock-skew', mode: 'manual', isHealthy: false, scores: score(good, good, null) },
    { name: 'websocket', mode: 'auto', isHealthy: true, scores: score(quiet, alarm, quiet) },
  ];

  it('shows every row, what is wrong, and the sums', () => {
    assert.equal(
      renderMatrix(cases),
      [
        '               from spans alone   with a tap',
        'fault          - a b   - a b',
        'clock-skew     . 2 .   . 2 .',
        'websocket      1 . .   . . 1',
        '',
        '- (nothing)',
        'a clock-skew',
        'b split-trace',
        '',
        '✗ websocket, auto mode',
        '  with a tap: false alarm: split-trace',
        '',
        '2 broken: from spans alone 2 named, 0 undecided with the cause among the candidates, 0 wrong, 0 missed',
        '2 broken: with a tap 2 named, 0 undecided with the cause among the candidates, 0 wrong, 0 missed',
        '1 healthy: false alarms 0 from spans alone, 1 with a tap, 0 without expectation',
        '2 of 3 rows right',
        '',
      ].join('\n'),
    );
    assert.deepEqual(cases.map(isRight), [true, true, false]);
  });

  it('counts a row with wrong statements as wrong', () => {
    const [first] = cases;
    assert.ok(first);
    const wrong = { ...first, scores: { ...first.scores, statements: ['statements 1 fail'] } };
    assert.equal(isRight(wrong), false);
    assert.match(renderMatrix([wrong]), /^ {2}assertion: statements 1 fail$/m);
  });

  it('is available as JSON', () => {
    const document = JSON.parse(renderMatrixJson(cases));
    assert.deepEqual([document.version, document.right, document.rows.length], [1, false, 3]);
  });
});

it('refuses an unknown name with one line', async () => {
  const { code, stdout, stderr } = await runLab('faults.ts', ['--only', 'no-such-fault']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^error: --only "no-such-fault": no such fault or variant; there are healthy, .*\n$/);
});

function score(fromSpans: Score, fromTap: Score, blindly: Score | null): ScoredCase['scores'] {
  return { fromSpans, fromTap, blindly, statements: [] };
}

function toResult(findings: readonly (Partial<Finding> & Pick<Finding, 'id'>)[], broken = 8): Result {
  const edge = { client: 'service-a', server: 'service-b' } as const;
  return {
    version: 1,
    verdict: 'broken',
    traces: 8,
    spans: 40,
    edges: [{ ...edge, protocol: 'http', calls: 8, broken }],
    findings: findings.map((finding) => ({
      severity: 'error',
      ...edge,
      protocol: 'http',
      confidence: 'certain',
      count: 8,
      evidence: [],
      scopes: { client: [], server: [] },
      fix: '',
      docs: '',
      ...finding,
    })),
  };
}
