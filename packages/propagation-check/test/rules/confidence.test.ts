import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { mergeDrafts } from '../../src/rules/decide-by-headers.ts';
import type { Draft } from '../../src/rules/draft.ts';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';

function readConfidence(name: string): readonly string[] {
  return checkFixtureDrawing(`header-passed-through/${name}.txt`)
    .findings.filter(({ id }) => id === 'header-passed-through')
    .map(({ confidence }) => confidence);
}

suite('confidence', () => {
  test('a hop that may mirror its traffic is no certain cause', () => {
    assert.deepEqual(readConfidence('broken-client-span'), ['certain']);
    assert.deepEqual(readConfidence('shown-mirrored'), ['likely']);
  });

  test('a cause that is certain of some calls and likely of others is likely of all', () => {
    const certain: Draft = {
      ...{ id: 'client-not-instrumented', severity: 'error', client: 'web', server: 'orders' },
      ...{ protocol: 'http', shown: [] },
    };
    const likely: Draft = { ...certain, isLikely: true };
    assert.deepEqual(
      mergeDrafts([certain, likely]).map(({ isLikely }) => isLikely),
      [true],
    );
    assert.deepEqual(mergeDrafts([certain, certain]), [certain]);
  });

  test('a symptom may have the causes of each of its calls, and a tap decides where one call asks for it', () => {
    const symptom: Draft = {
      ...{ id: 'missing-call', severity: 'error', client: 'web', server: 'orders' },
      ...{ protocol: 'http', shown: [], nextTap: null },
      candidates: ['header-stripped', 'header-ignored'],
    };
    const nextTap = { side: 'callee', calledAt: [], seen: [] } as const;
    const other: Draft = { ...symptom, candidates: ['header-ignored', 'header-not-sent'], nextTap };
    assert.deepEqual(mergeDrafts([symptom, other]), [
      { ...symptom, candidates: ['header-stripped', 'header-ignored', 'header-not-sent'], nextTap },
    ]);
    assert.deepEqual(mergeDrafts([symptom, symptom]), [symptom]);
  });

  test('informations stay apart', () => {
    const peer: Draft = {
      ...{ id: 'uninstrumented-peer', severity: 'info', client: 'web', server: null },
      ...{ protocol: 'http', shown: [] },
    };
    assert.deepEqual(mergeDrafts([peer, { ...peer }]), [peer, peer]);
  });
});
