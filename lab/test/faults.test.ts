import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Finding, FindingId, Result } from 'propagation-check';
import { type Fault as FaultOfA, faultNames, faults as faultsOfA } from '../../service-a/src/fault.ts';
import { type Fault as FaultOfB, faults as faultsOfB } from '../../service-b/src/fault.ts';
import { faultCases } from '../fault-cases.ts';
import { isRight, renderMatrix, renderMatrixJson, type ScoredCase } from '../fault-report.ts';
import { type Score, scoreBroken, scoreHealthy } from '../fault-score.ts';
import { faultTable } from '../fault-table.ts';
import { variantNames } from '../fault-variants/variant.ts';

const root = join(import.meta.dirname, '..', '..');

/** What real processes are run for here; `npm run faults` runs all. */
const represented = [
  'cut-traceparent auto',
  'missing-esm-hook auto',
  'body-never-read auto',
  'caller-not-sampled manual',
  'drop-baggage manual',
  'websocket auto',
];

describe('real services', { concurrency: 2 }, () => {
  const cases = faultCases.filter(({ name, mode }) => represented.includes(`${name} ${mode}`));

  it('are there for each that is represented', () => assert.equal(cases.length, represented.length));

  for (const one of cases) {
    it(`${one.name}, ${one.mode} mode`, async () => {
      const scores = one.check(await one.run(new AbortController().signal));
      const problems = Object.values(scores).flatMap((score: Score | null) => score?.problems ?? []);
      assert.deepEqual(problems, []);
    });
  }
});

describe('the table', () => {
  it('has every fault in the modes in which the services know it', () => {
    for (const name of faultNames) {
      const ofA: FaultOfA = faultsOfA[name];
      const ofB: FaultOfB = faultsOfB[name];
      const only = ofA.onlyIn ?? ofB.onlyIn;
      assert.deepEqual(faultTable[name].modes, only === undefined ? ['auto', 'manual'] : [only], name);
    }
  });

  it('says where each is made', () => {
    for (const name of faultNames) {
      const { where } = faultTable[name];
      const ofA: FaultOfA = faultsOfA[name];
      const isProxy = ofA.stepBetween !== undefined;
      const breaks = { 'service-a': ofA, 'service-b': faultsOfB[name], proxy: ofA };
      assert.equal(isProxy, where === 'proxy', name);
      assert.notDeepEqual(breaks[where], {}, name);
    }
  });

  it('is told to people as it is', async () => {
    const page = await readFile(join(root, 'docs', 'faults.md'), 'utf8');
    const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    for (const [name, row] of Object.entries(faultTable)) {
      const cells = rows.find((one) => one[1] === `\`${name}\``)?.slice(2, -1);
      const told = cells?.map((cell) => cell.replace(/¹$/, ''));
      const { where, made, modes, cause, fromSpans } = row;
      assert.deepEqual(told, [where, made, modes.join(', '), link(cause), link(fromSpans)], name);
    }
    for (const name of variantNames)
      assert.ok(
        rows.some((one) => one[1] === `\`${name}\``),
        name,
      );
  });
});

const link = (id: FindingId): string => `[${id}](findings/${id}.md)`;

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

  it('is right for the cause where a symptom was all that could be expected', () => {
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

  it('counts a warning where the fault is one', () => {
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

  it('is there as data too', () => {
    const document = JSON.parse(renderMatrixJson(cases));
    assert.deepEqual([document.version, document.right, document.rows.length], [1, false, 3]);
  });
});

it('refuses a name that it does not know with one line', async () => {
  const { code, stdout, stderr } = await runFaults(['--only', 'no-such-fault']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^error: --only "no-such-fault": no such fault or variant; there are healthy, .*\n$/);
});

function score(fromSpans: Score, fromTap: Score, blindly: Score | null): ScoredCase['scores'] {
  return { fromSpans, fromTap, blindly };
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

function runFaults(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, 'lab', 'faults.ts'), ...args],
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
