import { existsSync } from 'node:fs';

/** The path of the browser for the tests; undefined when none is installed. */
export const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);

/** Why no browser can run, or null. */
export const obstacle =
  executablePath === undefined ? 'no Chromium: install it, or name its file in CHROMIUM' : null;
