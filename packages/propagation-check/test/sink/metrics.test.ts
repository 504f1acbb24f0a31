import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { metrics } from '../../src/sink/metrics.ts';

test('the docs list every metric with its labels and its help', () => {
  const page = readFileSync(new URL('../../../../docs/sink.md', import.meta.url), 'utf8');
  const [, table = ''] = /<!-- metrics -->\n(.*)\n<!-- \/metrics -->/s.exec(page) ?? [];
  const rows = metrics.map((metric) => {
    const labels = 'labels' in metric ? metric.labels.join(', ') : '';
    return `| \`${metric.name}\` | ${labels} | ${metric.help} |`;
  });
  assert.equal(table, ['| metric | labels | |', '|---|---|---|', ...rows].join('\n'));
});
