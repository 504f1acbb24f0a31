import { chromium } from 'playwright-core';

const [, , file, png = '', width = '1280', scheme = 'light'] = process.argv;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({
  viewport: { width: Number(width), height: 900 },
  colorScheme: scheme as 'light',
});
page.on('console', (m) => console.log('console', m.text()));
page.on('pageerror', (e) => console.log('error', e));
await page.goto(`file://${file}`);
await page.screenshot({ path: png, fullPage: true });
await browser.close();
