import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AuditEdge, AuditResult } from '../../src/audit/audit-result.ts';
import { renderTerminal } from '../../src/audit/report/render-terminal.ts';

const rate = { intact: 9_735, of: 10_000, value: 0.9735, low: 0.9621, high: 0.9811 };

function edge(client: string, calls: number, more: Partial<AuditEdge> = {}): AuditEdge {
  return {
    ...{ client, server: 'orders', protocol: 'http', calls, broken: 1, suspected: 0, rate, causes: [] },
    trend: { before: rate, change: 'worse' },
    ...more,
  };
}

const window = {
  ...{ from: null, to: null, traces: 1, spans: 1 },
  seen: { complete: true, says: '' },
};

const audit: AuditResult = {
  ...{ kind: 'audit', version: 1, outcome: 'failed', source: 'a', window, before: window, lastRun: null },
  failUnder: null,
  edges: [
    edge('web', 1_234_567, { gone: ['split-trace'] }),
    edge('x'.repeat(100), 2, { trend: { before: { ...rate, value: 0.9 }, change: 'unproven' } }),
  ],
  vanished: [{ client: 'cart', server: 'stock', protocol: 'http' }],
  result: { version: 1, verdict: 'broken', traces: 1, spans: 1, edges: [], findings: [] },
};

function render(width: number): readonly string[] {
  const details = { source: 'a', reason: null, notes: [], collector: null };
  const options = { width, color: false, docsRoot: '' };
  const unused = { pickSpans: () => [], readPageScript: async () => '', result: audit.result };
  return renderTerminal({ audit, details, options, ...unused }).split('\n');
}

suite('the table of an audit', () => {
  for (const width of [40, 50, 60, 100])
    test(`no line is wider than ${width} columns, and each edge has its calls`, () => {
      const lines = render(width);
      assert.deepEqual(
        lines.filter((line) => line.length > width),
        [],
      );
      assert.match(lines.join('\n'), /web → orders.*\s+1,234,567 +97\.35 %/);
      assert.match(lines.join('\n'), /x…? → orders.*\s+2 +97\.35 %/);
    });

  test('the numbers of an edge are below its name where the line is too short, without the interval', () => {
    const lines = render(40);
    const at = lines.findIndex((line) => line.includes('web → orders'));
    assert.deepEqual(lines.slice(at, at + 2), ['✓ web → orders', '  1,234,567  97.35 %  97.35 % ↓']);
  });
});
