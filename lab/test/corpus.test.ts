import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { checkTraces, type Result } from 'propagation-check';
import { toAnswer } from '../benchmark/answer.ts';
import { readPage, renderBenchmark } from '../benchmark/benchmark.ts';
import { type Capture, readCorpus } from '../read-corpus.ts';
import { scoreResult } from '../score-capture.ts';

const folder = join(import.meta.dirname, '..', '..', 'packages', 'propagation-check');
const corpus = readCorpus(join(folder, 'corpus'));
const healthy = corpus.filter(({ label }) => label.verdict === 'healthy');
const broken = corpus.filter(({ label }) => label.verdict === 'broken');
const captures = readCorpus(join(folder, 'captures'));

const checked = new Map<string, Result>();

/** Checks each capture once with expectations and once without; results are cached. */
function check({ name, spans, expectation }: Capture, isBlind = false): Result {
  const key = `${name} ${isBlind}`;
  const result = checked.get(key) ?? checkTraces(spans, isBlind ? {} : { expectation });
  checked.set(key, result);
  return result;
}

describe('labelled captures', () => {
  it('are all there', () => {
    assert.equal(healthy.length, 80);
    assert.equal(broken.length, 63);
  });

  for (const capture of healthy) {
    it(`${capture.name} is healthy, with and without expectations`, () => {
      for (const isBlind of [false, true]) {
        const result = check(capture, isBlind);
        const errors = result.findings.filter((finding) => finding.severity === 'error');
        assert.deepEqual(errors, []);
        // A capture of a single service has no edge, and nothing to judge.
        assert.equal(result.verdict, result.edges.length > 0 ? 'intact' : 'unknown');
        assert.equal(scoreResult(result, capture.label).grade, 'healthy');
      }
    });
  }

  it('are named, or undecided with the cause among the candidates, when they are broken', () => {
    const unexplained = broken.filter((capture) => {
      const { grade } = scoreResult(check(capture), capture.label);
      return grade !== 'named' && grade !== 'undecided';
    });
    assert.deepEqual(
      unexplained.map(({ name }) => name),
      [],
    );
  });

  it('show the break on the right edge with the right counts, when the spans contain it', () => {
    const wrong = broken.filter((capture) => !scoreResult(check(capture), capture.label).edgesRight);
    assert.deepEqual(
      wrong.map(({ name }) => name),
      // Neither side of these calls has a span, so they cannot be counted.
      ['node-a-always-off', 'node-b-always-off-chain', 'py-a-always-off'],
    );
  });
});

describe('captures of our own', () => {
  it('are all there', () => assert.equal(captures.length, 248));

  for (const capture of captures) {
    const { name, label } = capture;
    const known = [
      // These calls begin traces after their requests have ended. A poller between requests would make the same spans.
      'java-executor-lost-fire',
      'pyd-thread-lost-fire',
      // These requests overlap so much that calls from outside would be within them by chance too.
      'go-plain-client-one-route-dense',
    ];
    it(`${name} is ${label.verdict}`, () => {
      const { grade } = scoreResult(check(capture), label);
      const blindly = scoreResult(check(capture, true), label).grade;
      assert.notEqual(blindly, 'false alarm');
      if (label.verdict === 'healthy') assert.equal(grade, 'healthy');
      else
        assert.ok(
          known.includes(name) ? grade === 'missed' : grade === 'named' || grade === 'undecided',
          grade,
        );
    });
  }
});

test('the table in the README of the corpus is up to date', () => {
  const answered = [...corpus, ...captures].map((capture) => ({
    ...capture,
    answer: toAnswer(check(capture)),
    blindAnswer: toAnswer(check(capture, true)),
  }));
  assert.ok(
    readPage().includes(`<!-- benchmark -->\n${renderBenchmark(answered)}<!-- /benchmark -->\n`),
    'run `npm run corpus -- --write`',
  );
});

describe('the score', () => {
  const [capture] = broken;
  it('is missed without a report on a broken capture, and false alarm with one on a healthy capture', () => {
    assert.ok(capture);
    const silent = checkTraces([]);
    const loud = checkTraces(capture.spans, { expectation: capture.expectation });
    assert.equal(scoreResult(silent, capture.label).grade, 'missed');
    assert.equal(scoreResult(silent, capture.label).edgesRight, false);
    assert.equal(scoreResult(loud, { ...capture.label, verdict: 'healthy' }).grade, 'false alarm');
    assert.equal(scoreResult(loud, { ...capture.label, truth: 'clock-skew', symptoms: [] }).grade, 'wrong');
  });
});
