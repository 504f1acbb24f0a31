import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingIds } from '../../src/rules/finding.ts';
import { findings, proseOf } from '../../src/rules/findings.ts';

test('every finding has the id under which it is listed', () => {
  for (const id of findingIds) assert.equal(findings[id].id, id);
});

test('a report has the severity of its finding, unless it sets another', () => {
  const edge = { client: 'web', server: 'orders', protocol: 'http', shown: [] } as const;
  const missing = findings['missing-server'].report(edge);
  assert.deepEqual([missing.id, missing.severity], ['missing-server', 'error']);
  assert.equal(findings['missing-server'].report({ ...edge, severity: 'warning' }).severity, 'warning');
  assert.equal(findings['clock-skew'].report(edge).severity, 'warning');
  assert.equal(findings['uninstrumented-peer'].report(edge).severity, 'info');
  // A draft that becomes another finding keeps nothing of the first id.
  assert.equal(findings['split-trace'].report(missing).id, 'split-trace');
});

test('a later span can take back findings that rest on absence or name a peer', () => {
  assert.deepEqual(
    Object.values(findings)
      .filter(({ isConclusive }) => !isConclusive)
      .map(({ id }) => id)
      .sort(),
    [
      'client-not-instrumented',
      'client-span-lost',
      'external-parent',
      'header-passed-through',
      'missing-call',
      'missing-client',
      'missing-server',
      'not-sampled',
      'server-not-instrumented',
      'server-span-lost',
      'span-lost-in-service',
      'uninstrumented-peer',
    ],
  );
});

test('the texts for messages name messaging spans', () => {
  const missing = proseOf('missing-server', 'messaging');
  assert.match(missing.title, /CONSUMER span$/);
  assert.match(missing.why, /PRODUCER span/);
  assert.equal(missing.fix, findings['missing-server'].fix);
  assert.deepEqual(proseOf('missing-server', 'http'), findings['missing-server']);
  const called = /\b(?:CLIENT|SERVER) span|called service/;
  for (const id of [
    'missing-server',
    'server-span-lost',
    'server-not-instrumented',
    'split-trace',
    'wrong-parent',
  ] as const)
    assert.doesNotMatch(proseOf(id, 'messaging').title, called);
});
