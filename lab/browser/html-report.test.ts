import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Span } from 'propagation-check';
import { encodeOtlpLines } from 'propagation-check/kit';
import { drawSplitCall, drawTrace, spanId, traceId } from 'propagation-check/test';
import { launchChromium, obstacle } from './launch-chromium.ts';

if (obstacle !== null && process.env.CI === 'true')
  it('a browser can run', () => assert.fail(obstacle ?? ''));

const checker = [
  '--conditions=trace-context-source',
  fileURLToPath(import.meta.resolve('propagation-check/package.json')).replace('package.json', 'src/cli.ts'),
];
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('the HTML report in a browser', { skip: obstacle ?? false }, () => {
  let browser: Browser;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'html-report-'));
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a report of the command line. A console error or a network request of the page fails the test. */
  async function open(
    t: { after(fn: () => Promise<void>): void },
    spans: readonly Span[],
    options: BrowserContextOptions = {},
  ): Promise<Page> {
    const [input, report] = [join(folder, 'spans.jsonl'), join(folder, 'report.html')];
    await writeFile(input, encodeOtlpLines(spans));
    const { status, stderr } = spawnSync(
      process.execPath,
      [...checker, 'file', input, '--expect', 'service-a -> service-b', '--report', `html=${report}`],
      { encoding: 'utf8' },
    );
    assert.deepEqual([status, stderr], [1, '']);
    const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(request.url());
    });
    t.after(async () => {
      await context.close();
      assert.deepEqual(complaints, []);
    });
    await page.goto(pathToFileURL(report).href);
    return page;
  }

  for (const options of [
    { colorScheme: 'light' },
    { colorScheme: 'dark' },
    { colorScheme: 'light', viewport: { width: 360, height: 640 } },
  ] as const) {
    it(`breaks no rule of WCAG 2.2 AA that axe knows: ${JSON.stringify(options)}`, async (t) => {
      const page = await open(t, split, options);
      await page.getByText('Evidence and instrumentations').first().click();
      // The debugger evaluates axe's source: the page's content security policy does not apply to it.
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe }: { axe: typeof import('axe-core') } = Object(globalThis);
        const found = await axe.run({
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        });
        return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`);
      });
      assert.deepEqual(violations, []);
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll('main > *, article > *')]
          .filter((element) => element.getBoundingClientRect().right > innerWidth)
          .map((element) => element.outerHTML.slice(0, 200)),
      );
      assert.deepEqual(wide, [], 'beyond the window');
      const hidden = await page
        .locator('.edges')
        .evaluate((table) => table.scrollWidth - (table.parentElement?.clientWidth ?? 0));
      assert.ok(hidden <= 0, `${hidden} px of the table of edges are out of sight`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    });
  }

  it('opens a span from its link', async (t) => {
    const page = await open(t, split);
    await page
      .locator('.call')
      .getByRole('link', { name: spanId('b1') })
      .click();
    assert.match(await readText(page, '#trace-heading'), new RegExp(traceId('b')));
    assert.match(await readText(page, '#span-details'), new RegExp(spanId('b1')));
  });

  it('moves by keyboard, and filters', async (t) => {
    const page = await open(t, split);
    const list = page.getByRole('listbox', { name: 'Traces' });
    await page.getByLabel('only evidence of findings').uncheck();
    await list.focus();
    await page.keyboard.press('End');
    assert.match(await readText(page, '#trace-heading'), new RegExp(traceId('c')));
    await page.keyboard.press('Home');
    assert.match(await readText(page, '#trace-heading'), new RegExp(traceId('a')));
    await page.getByRole('searchbox').fill('healthy');
    assert.equal(await readText(page, '#trace-count'), '1 of 3 traces');
    await page.getByRole('searchbox').fill('nowhere');
    assert.equal(await readText(page, '#trace-count'), '0 of 3 traces');
    assert.equal(await list.getByRole('option').count(), 0);
  });

  it('prints the findings and leaves out the trace viewer', async (t) => {
    const page = await open(t, split);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.card').isVisible(), true);
    assert.equal(await page.locator('.viewer').isVisible(), false);
  });

  it('scrolls 50,000 spans and renders only a few of them', async (t) => {
    const page = await open(t, makeLongTrace(50_000));
    const waterfall = page.locator('#waterfall');
    assert.match(await readText(page, '#trace-heading'), /50000 spans/);
    const { frames, worstMs, rows } = await waterfall.evaluate(scrollThrough);
    t.diagnostic(
      `${frames} frames from top to end, the longest ${worstMs.toFixed(1)} ms, ${rows} rows at most`,
    );
    assert.ok(rows > 0 && rows < 100, `${rows} rows`);
    assert.match(await readText(page, '#waterfall'), /step 49998/);
  });
});

async function readText(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? '';
}

const split = drawSplitCall();

function makeLongTrace(count: number): readonly Span[] {
  const [root] = drawTrace('SERVER service-a GET /call-b  a1  0..60000');
  if (root === undefined) throw new Error('no root');
  return Array.from({ length: count }, (_, index) =>
    index === 0
      ? root
      : {
          ...root,
          spanId: (index + 1).toString(16).padStart(16, '0'),
          parentSpanId: root.spanId,
          kind: 'INTERNAL' as const,
          name: `step ${index - 1}`,
          startTimeUnixNano: root.startTimeUnixNano + BigInt(index) * 1_000_000n,
        },
  );
}

/** Runs in the page: measures how long each frame takes while the list scrolls from its top to its end. */
async function scrollThrough(
  list: HTMLElement,
): Promise<{ readonly frames: number; readonly worstMs: number; readonly rows: number }> {
  const frames = 120;
  let [worstMs, rows, last] = [0, 0, performance.now()];
  for (let frame = 1; frame <= frames; frame += 1) {
    list.scrollTop = ((list.scrollHeight - list.clientHeight) * frame) / frames;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    worstMs = Math.max(worstMs, now - last);
    rows = Math.max(rows, list.querySelectorAll('[role=option]').length);
    last = now;
  }
  return { frames, worstMs, rows };
}
