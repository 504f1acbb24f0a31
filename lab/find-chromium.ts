import { existsSync } from 'node:fs';

/** The file that `CHROMIUM` names, or the browser of the system. */
export function findChromium(): string | null {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];
  return places.find((path) => path !== undefined && existsSync(path)) ?? null;
}
