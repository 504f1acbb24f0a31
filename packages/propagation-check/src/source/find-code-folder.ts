import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The folder beside package.json that holds this module: `src`, or `dist`, whose bundles may be in any subfolder. Null if no folder above
 * has a package.json: an application has bundled this module.
 */
export function findCodeFolder(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, '../package.json'))) {
    if (folder === dirname(folder)) return null;
    folder = dirname(folder);
  }
  return folder;
}

/** As `findCodeFolder`, but throws if there is no such folder. */
export function requireCodeFolder(): string {
  const folder = findCodeFolder();
  if (folder === null) throw new Error(`there is no package.json above ${import.meta.url}`);
  return folder;
}

/** The URL of a module that is loaded by its path, not by an import. @param path Its path below `src`, without the extension. */
export function findModule(path: string): URL {
  return pathToFileURL(join(requireCodeFolder(), `${path}${extname(import.meta.url)}`));
}
