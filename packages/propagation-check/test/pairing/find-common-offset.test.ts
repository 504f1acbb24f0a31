import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Apart, findCommonOffset } from '../../src/pairing/find-common-offset.ts';

const tolerance = 5;

test('of two offsets that fit equally many pairs, takes the lower one', () => {
  const early: Apart = [120, 80];
  const late: Apart = [520, 480];
  assert.equal(findCommonOffset([late, early], tolerance), 100);
  assert.equal(findCommonOffset([late, early, late], tolerance), 500);
});

test('spans that outlive their calls by more than the tolerance have no offset', () => {
  const outliving: Apart = [100, 140];
  assert.equal(findCommonOffset([outliving], tolerance), 0);
  assert.equal(findCommonOffset([outliving, [135, 105]], tolerance), 120);
  assert.equal(findCommonOffset([[100, 108]], tolerance), 104);
});
