import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditShape } from '../../scripts/report-shape.ts';
import { executeCli } from '../cli/run-cli.ts';
import { startTraceStore } from '../cli/trace-store.ts';
import { makeTraffic } from './make-traffic.ts';

test('an audit matches its schema, without further fields', async (t) => {
  const store = await startTraceStore(t);
  const from = Date.now() - 600_000;
  store.add(
    ...makeTraffic({ from, calls: 20, brokenEvery: 4 }),
    ...makeTraffic({ from: from - 60_000, calls: 20 }),
  );
  for (const args of [[], ['--since', '10m', '--fail-under', '99%', '--explain', '--limit', '220']]) {
    const { stdout } = await executeCli('audit', '--source', store.source, ...args, '--json');
    const { error } = auditShape.safeParse(JSON.parse(stdout));
    assert.equal(error, undefined);
  }
});
