import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The folder below package.json that holds this module: `src`, or `dist`, whose bundles may be in any folder of it. Null where no
 * folder above has a package.json: an application has this module in a bundle of its own.
 */
export function findCodeFolder(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, '../package.json'))) {
    if (folder === dirname(folder)) return null;
    folder = dirname(folder);
  }
  return folder;
}

/** As `findCodeFolder`, for what cannot do without. */
export function requireCodeFolder(): string {
  const folder = findCodeFolder();
  if (folder === null) throw new Error(`there is no package.json above ${import.meta.url}`);
  return folder;
}

/** The address of a module that nothing imports by its name. @param path Its place below `src`, without the ending. */
export function findModule(path: string): URL {
  return pathToFileURL(join(requireCodeFolder(), `${path}${extname(import.meta.url)}`));
}
