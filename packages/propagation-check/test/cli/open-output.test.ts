import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAsciiLocale, readWidth, wantsColor } from '../../src/cli/open-output.ts';

test('a terminal has its own width, other outputs that of COLUMNS, or 100', () => {
  assert.equal(readWidth(72, '60'), 72);
  assert.equal(readWidth(undefined, '60'), 60);
  for (const variable of [undefined, '', '0', '-5', 'wide', '1e9'])
    assert.equal(readWidth(undefined, variable), 100);
});

test('colour: FORCE_COLOR, then NO_COLOR, then the kind of output decide', () => {
  assert.equal(wantsColor(true, {}), true);
  assert.equal(wantsColor(false, {}), false);
  assert.equal(wantsColor(true, { TERM: 'dumb' }), false);
  assert.equal(wantsColor(true, { NO_COLOR: '1' }), false);
  assert.equal(wantsColor(true, { NO_COLOR: '' }), true);
  assert.equal(wantsColor(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), true);
  assert.equal(wantsColor(true, { FORCE_COLOR: '0' }), false);
});

test('ASCII: the first locale that is set names an encoding other than UTF-8', () => {
  for (const env of [{}, { LANG: '' }, { LANG: 'C.UTF-8' }, { LC_ALL: 'de_DE.utf8', LANG: 'C' }])
    assert.equal(isAsciiLocale(env), false, JSON.stringify(env));
  for (const env of [{ LANG: 'C' }, { LC_CTYPE: 'POSIX', LANG: 'C.UTF-8' }, { LC_ALL: 'de_DE.ISO-8859-1' }])
    assert.equal(isAsciiLocale(env), true, JSON.stringify(env));
});
