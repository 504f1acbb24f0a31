import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium, obstacle } from './launch-chromium.ts';

/** Images that are built without access to a registry have Jaeger's API, but only a placeholder of its UI. */
const { JAEGER_UI: hasUi } = process.env;
const reason =
  hasUi === '1'
    ? obstacle
    : 'needs the stack with the published image of Jaeger: docker compose up --wait, then JAEGER_UI=1';

it('the links of the assertion open its trace and its neighbours in Jaeger', {
  skip: reason ?? false,
}, async (t) => {
  const script = fileURLToPath(new URL('../../scripts/assert-propagation.ts', import.meta.url));
  const args = ['--conditions=trace-context-source', script];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  const [trace = '', neighbours = ''] = ['Jaeger', 'neighbours'].map(
    (label) => new RegExp(`^${label} +(\\S+)$`, 'm').exec(stdout)?.[1],
  );
  const traceId = trace.split('/').at(-1) ?? '';
  assert.match(traceId, /^[0-9a-f]{32}$/);
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(trace);
  for (const text of ['service-a', 'service-b', 'GET /work']) await page.getByText(text).first().waitFor();
  await page.goto(neighbours);
  await page.locator(`a[href*="/trace/${traceId}"]`).first().waitFor();
});
