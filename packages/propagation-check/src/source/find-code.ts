import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder below package.json that holds this module: `src`, or `dist`, whose bundles may be in any folder of it. */
export function findCode(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, '../package.json'))) {
    if (folder === dirname(folder)) throw new Error(`there is no package.json above ${import.meta.url}`);
    folder = dirname(folder);
  }
  return folder;
}

/** The address of a module that nothing imports by its name. @param path Its place below `src`, without the ending. */
export function findModule(path: string): URL {
  return pathToFileURL(join(findCode(), `${path}${extname(import.meta.url)}`));
}
