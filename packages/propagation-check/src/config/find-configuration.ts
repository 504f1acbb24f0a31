import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const configurationName = 'propagation-check.yaml';

const names = [configurationName, 'propagation-check.yml'];

/** The configuration file of a folder: in it, or in the nearest folder above, up to the root of the repository or of the file system. */
export function findConfiguration(folder: string): string | null {
  const path = names.map((name) => join(folder, name)).find((each) => existsSync(each));
  if (path !== undefined) return path;
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, '.git')) ? null : findConfiguration(above);
}
