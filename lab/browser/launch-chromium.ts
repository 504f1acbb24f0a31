import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);

/** Why no browser can run, or null. */
export const obstacle =
  executablePath === undefined ? 'no Chromium: install it, or name its file in CHROMIUM' : null;

/** Chromium's sandbox needs privileges that root in a container does not have. The pages are the project's own or Jaeger's on this machine. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
}
