import { opendir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAside, kindOf } from './files.ts';
import { isTelemetry } from './installed-packages.ts';
import type { ProjectFile } from './project-file.ts';

/** Projects have fewer files of the kinds that are read; a home folder has more. */
const mostFiles = 20_000;
/** Sources and manifests are smaller; lock files of large repositories have 2 to 20 MB. */
const mostBytesOfFile = 2_000_000;
const mostBytesOfLock = 32_000_000;
const mostBytes = 256_000_000;
/** Nothing of interest lies deeper; links are not followed, so there is no circle. */
const deepest = 24;

export interface ReadProject {
  readonly files: readonly ProjectFile[];
  /** Bounds that were reached, in words. */
  readonly gaps: readonly string[];
}

/** Reads the files of a folder that checks look at. Nothing is executed, links are not followed. */
export async function readProject(folder: string): Promise<ReadProject> {
  const paths: string[] = [];
  const gaps = new Set<string>();
  for await (const path of walk(folder, '', false, 0)) {
    if (paths.length >= mostFiles) {
      gaps.add(`only the first ${mostFiles} files were read; name a folder below`);
      break;
    }
    paths.push(path);
  }
  const files: ProjectFile[] = [];
  let bytes = 0;
  for (const path of paths) {
    const full = join(folder, path);
    const size = (await stat(full).catch(() => null))?.size ?? 0;
    if (size > (kindOf(path) === 'lock' ? mostBytesOfLock : mostBytesOfFile)) {
      if (kindOf(path) !== 'source') gaps.add(`${path} is too large (${size} bytes) and was not read`);
      continue;
    }
    bytes += size;
    if (bytes > mostBytes) {
      gaps.add(`only the first ${mostBytes} bytes were read; name a folder below`);
      break;
    }
    const text = await readFile(full, 'utf8').catch(() => null);
    if (text === null) gaps.add(`${path} cannot be read`);
    else files.push({ path, text: text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n') });
  }
  return { files, gaps: [...gaps] };
}

/** The paths to read, with `/`, in the order of their names. */
async function* walk(
  folder: string,
  below: string,
  isLocked: boolean,
  depth: number,
): AsyncGenerator<string> {
  if (depth > deepest) return;
  const entries = await listFolder(join(folder, below));
  // A lock file tells what is installed, for the folders below too.
  const hasLock = isLocked || entries.some(({ name }) => kindOf(name) === 'lock');
  for (const { name, isFolder } of entries) {
    const path = below === '' ? name : `${below}/${name}`;
    if (!isFolder) {
      if (kindOf(path) !== null && !isAside(path)) yield path;
    } else if (name === 'node_modules') {
      if (!hasLock) yield* walkInstalled(folder, path, depth + 1);
    } else if (!isAside(`${path}/`)) yield* walk(folder, path, hasLock, depth + 1);
  }
}

/** Only the manifests of OpenTelemetry packages, wherever they are nested. */
async function* walkInstalled(folder: string, modules: string, depth: number): AsyncGenerator<string> {
  if (depth > deepest) return;
  for (const { name, isFolder } of await listFolder(join(folder, modules))) {
    if (!isFolder || name.startsWith('.')) continue;
    const path = `${modules}/${name}`;
    const packages = name.startsWith('@')
      ? (await listFolder(join(folder, path))).map((entry) => `${name}/${entry.name}`)
      : [name];
    for (const each of packages) {
      if (isTelemetry(each)) yield `${modules}/${each}/package.json`;
      yield* walkInstalled(folder, `${modules}/${each}/node_modules`, depth + 1);
    }
  }
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Empty where it cannot be read: another user's folder inside of a project is not a fault of it. */
async function listFolder(path: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const entry of await opendir(path))
      if (entry.isDirectory() || entry.isFile())
        entries.push({ name: entry.name, isFolder: entry.isDirectory() });
  } catch {
    return [];
  }
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
}
