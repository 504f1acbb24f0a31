import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import stringWidth from 'string-width';
import { fitText } from '../../src/report/fit-text.ts';
import { hang, truncate, wrap } from '../../src/report/layout.ts';
import { nameEdge, renderEdges } from '../../src/report/terminal-edges.ts';

const wide = '注文サービス';

suite('text of characters that take two columns', () => {
  test('is wrapped, cut and hung within the columns', () => {
    const text = `${`${wide} `.repeat(8)}${wide.repeat(20)}`;
    const hung = hang('note  ', text, { width: 40, color: false });
    assert.equal(hung.join('').replaceAll(' ', ''), `note${text.replaceAll(' ', '')}`);
    for (const line of [...wrap(`${wide} `.repeat(8), 40), ...hung]) assert.ok(stringWidth(line) <= 40, line);
    assert.equal(truncate(wide, 12), wide);
    assert.equal(truncate(wide, 11), '注文サービ…');
    assert.equal(truncate(wide, 10), '注文サー…');
  });

  test('is padded to the exact width, also if half of a character is left', () => {
    for (const [width, expected] of [
      [13, '注文サービス '],
      [12, '注文サービス'],
      [11, '注文サービ…'],
      [10, '注文サー… '],
      [1, '…'],
    ] as const)
      assert.equal(fitText(wide, width), expected);
  });

  test('is aligned in the list of edges', () => {
    const edge = (server: string) =>
      ({ client: 'web', server, protocol: 'http', calls: 3, broken: 0 }) as const;
    const edges = [edge(wide), edge('orders'), edge(wide.repeat(10))];
    const lines = renderEdges(
      { version: 1, verdict: 'intact', traces: 1, spans: 2, findings: [], edges },
      { width: 60, color: false },
    );
    const ends = lines.map((line) => stringWidth(line.slice(0, line.indexOf('http'))));
    assert.deepEqual([new Set(ends).size, lines.filter((line) => stringWidth(line) > 60)], [1, []]);
    assert.ok(stringWidth(nameEdge({ client: wide, server: wide }, 20)) <= 20);
  });

  test('has a bounded length without any width', () => {
    assert.ok(truncate('\u0301'.repeat(100_000), 400).length <= 1_601);
  });
});

test('a word of any length is broken into lines, and keeps all of its characters', () => {
  for (const character of ['a', '注', '\u{1f469}']) {
    const text = character.repeat(character === 'a' ? 300_000 : 30_000);
    const lines = hang('', text, { width: 24, color: false });
    assert.equal(lines.join(''), text);
    assert.ok(lines.every((line) => line.isWellFormed() && stringWidth(line) <= 24));
  }
});

test('URLs and settings stay whole at any width, and ids are broken', () => {
  const url = 'http://jaeger.observability.svc.cluster.local:16686/trace/4bf92f3577b34da6a3ce929d0e0e4736';
  const setting = 'OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=traceparent,tracestate';
  for (const width of [40, 60]) {
    const lines = hang('fix  ', `Open ${url} and set ${setting} in ${'x'.repeat(100)}`, {
      width,
      color: false,
    });
    for (const word of [url, setting])
      assert.ok(
        lines.some((line) => line.includes(word)),
        lines.join('\n'),
      );
    assert.ok(lines.every((line) => line.length <= width || /:\/\/|=/.test(line)));
  }
});
