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
  test('a hop that may mirror traffic is no certain cause', () => {
    assert.deepEqual(readConfidence('broken-client-span'), ['certain']);
    assert.deepEqual(readConfidence('shown-mirrored'), ['likely']);
  });

  test('a cause that is certain for some calls and likely for others is likely for all', () => {
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

  test('a symptom has the candidates of all its calls, and suggests a tap if one of them needs it', () => {
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

  test('informations are not merged', () => {
    const peer: Draft = {
      ...{ id: 'uninstrumented-peer', severity: 'info', client: 'web', server: null },
      ...{ protocol: 'http', shown: [] },
    };
    assert.deepEqual(mergeDrafts([peer, { ...peer }]), [peer, peer]);
  });
});
