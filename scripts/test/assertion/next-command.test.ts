import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findNextCommand, type Outcome } from '../../assertion/next-command.ts';

const whole: Outcome = {
  verdict: 'intact',
  isBalanced: null,
  traceId: 'a'.repeat(32),
  source: 'jaeger=http://localhost:16686',
};

describe('the next command', () => {
  for (const [what, outcome, expected] of [
    ['an intact trace', whole, 'FAULT=strip-traceparent docker compose run --rm assert'],
    [
      'an account that agrees',
      { ...whole, isBalanced: true },
      'FAULT=strip-traceparent docker compose run --rm assert',
    ],
    ['an account that does not agree', { ...whole, isBalanced: false }, 'docker compose logs'],
    [
      'a broken trace',
      { ...whole, verdict: 'broken' },
      `npm run propagation-check -- trace ${whole.traceId} --source ${whole.source}`,
    ],
    ['no answer', { ...whole, verdict: 'unknown', traceId: undefined }, 'docker compose logs'],
  ] as const) {
    it(`after ${what}`, () => assert.equal(findNextCommand(outcome), expected));
  }
});
