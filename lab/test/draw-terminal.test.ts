import assert from 'node:assert/strict';
import { it } from 'node:test';
import { styleText } from 'node:util';
import { drawTerminal } from '../draw-terminal.ts';

it('draws each run of characters at its column, in its colour', () => {
  const style = (format: 'red' | 'bold', text: string) => styleText(format, text, { validateStream: false });
  const drawing = drawTerminal(
    'a <title>',
    `${style('red', 'BROKEN')}  1 of 2\n   ${style('bold', 'a -> <b>')}\n\n`,
  );
  assert.match(drawing, /<title>a &lt;title&gt;<\/title>/);
  const texts = [
    ...drawing.matchAll(/<text x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+"(.*?)>(.*?)<\/text>/g),
  ];
  assert.deepEqual(
    texts.map(([, x, y, style, text]) => [x, y, style, text]),
    [
      ['16.0', '29.5', ' fill="#ff7b72"', 'BROKEN'],
      ['78.6', '29.5', '', '1\u00a0of\u00a02'],
      ['39.5', '47.5', ' font-weight="bold"', 'a\u00a0-&gt;\u00a0&lt;b&gt;'],
    ],
  );
});
