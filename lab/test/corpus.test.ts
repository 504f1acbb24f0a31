import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkTraces } from 'propagation-check';
import { readCorpus } from '../read-corpus.ts';
import { scoreResult } from '../score-capture.ts';

const folder = join(import.meta.dirname, '..', '..', 'packages', 'propagation-check');
const corpus = readCorpus(join(folder, 'corpus'));
const healthy = corpus.filter(({ label }) => label.verdict === 'healthy');
const broken = corpus.filter(({ label }) => label.verdict === 'broken');

describe('labelled captures', () => {
  it('are all there', () => {
    assert.equal(healthy.length, 80);
    assert.equal(broken.length, 63);
  });

  for (const { name, spans, label, expectation } of healthy) {
    it(`${name} is healthy, with and without expectations`, () => {
      for (const options of [{ expectation }, {}]) {
        const result = checkTraces(spans, options);
        const errors = result.findings.filter((finding) => finding.severity === 'error');
        assert.deepEqual(errors, []);
        // A capture of a single service has no edge, and nothing to judge.
        assert.equal(result.verdict, result.edges.length > 0 ? 'intact' : 'unknown');
        assert.equal(scoreResult(result, label).grade, 'healthy');
      }
    });
  }

  it('are named or honestly undecided in all of the broken ones', () => {
    const unexplained = broken.filter(({ spans, label, expectation }) => {
      const { grade } = scoreResult(checkTraces(spans, { expectation }), label);
      return grade !== 'named' && grade !== 'undecided';
    });
    assert.deepEqual(
      unexplained.map(({ name }) => name),
      [],
    );
  });

  it('show the break on the right edge, with the right counts, wherever the data hold it', () => {
    const wrong = broken.filter(
      ({ spans, label, expectation }) => !scoreResult(checkTraces(spans, { expectation }), label).edgesRight,
    );
    assert.deepEqual(
      wrong.map(({ name }) => name),
      // Neither side of these calls left a span, so that nobody can count them.
      ['node-a-always-off', 'node-b-always-off-chain', 'py-a-always-off'],
    );
  });
});

describe('captures of our own', () => {
  const captures = readCorpus(join(folder, 'captures'));

  it('are all there', () => assert.equal(captures.length, 243));

  for (const { name, spans, label, expectation } of captures) {
    const known = [
      // Calls that begin traces after their requests have been answered: a poller between requests leaves the same spans.
      'java-executor-lost-fire',
      'pyd-thread-lost-fire',
      // Requests that overlap so much that callers from outside would fill them as well.
      'go-plain-client-one-route-dense',
    ];
    it(`${name} is ${label.verdict}`, () => {
      const { grade } = scoreResult(checkTraces(spans, { expectation }), label);
      const blindly = scoreResult(checkTraces(spans), label).grade;
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

describe('the score', () => {
  const [capture] = broken;
  it('says missed when nothing is reported, and false alarm when something is', () => {
    assert.ok(capture);
    const silent = checkTraces([]);
    const loud = checkTraces(capture.spans, { expectation: capture.expectation });
    assert.equal(scoreResult(silent, capture.label).grade, 'missed');
    assert.equal(scoreResult(silent, capture.label).edgesRight, false);
    assert.equal(scoreResult(loud, { ...capture.label, verdict: 'healthy' }).grade, 'false alarm');
    assert.equal(scoreResult(loud, { ...capture.label, truth: 'clock-skew', symptoms: [] }).grade, 'wrong');
  });
});
