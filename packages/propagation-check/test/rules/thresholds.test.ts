import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listMoves, movesAnything } from './move-threshold.ts';

for (const move of listMoves()) {
  test(`${move.name}, a quarter ${move.direction}, changes ${move.fixture}`, () => {
    assert.ok(movesAnything(move));
  });
}
