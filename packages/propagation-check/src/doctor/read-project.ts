import { opendir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAside, kindOf } from './files.ts';
import { isTelemetry } from './installed-packages.ts';
import type { ProjectFile } from './project-file.ts';

/** More files than projects have of these kinds; a home folder would exceed it. */
const mostFiles = 20_000;
/** More folders than projects have; the root of a machine would exceed it. */
const mostFolders = 50_000;
/** Sources and manifests are smaller; lock files of large repositories have 2 to 20 MB. */
const mostBytesOfFile = 2_000_000;
const mostBytesOfLock = 32_000_000;
const mostBytes = 256_000_000;
/** Nothing of interest is deeper. Symbolic links are not followed, so there are no cycles. */
const deepest = 24;

export interface ReadProject {
  readonly files: readonly ProjectFile[];
  /** The bounds that were reached. */
  readonly gaps: readonly string[];
}

/** Reads the files of a folder that checks need. Executes nothing and follows no symbolic links. */
export async function readProject(folder: string): Promise<ReadProject> {
  const paths: string[] = [];
  const gaps = new Set<string>();
  const budget: Budget = { folders: mostFolders };
  for await (const path of walk(folder, '', { isLocked: false, depth: 0, budget })) {
    if (paths.length >= mostFiles) {
      gaps.add(`only the first ${mostFiles} files were read; name a folder below`);
      break;
    }
    paths.push(path);
  }
  if (budget.folders < 0)
    gaps.add(`only the first ${mostFolders} folders were looked into; name a folder below`);
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

/** What may still be read while folders are walked. */
interface Budget {
  folders: number;
}

interface Walk {
  /** A folder above has a lock file, which also lists what is installed below. */
  readonly isLocked: boolean;
  readonly depth: number;
  readonly budget: Budget;
}

/** The paths to read, with `/`, sorted by name. */
async function* walk(
  folder: string,
  below: string,
  { isLocked, depth, budget }: Walk,
): AsyncGenerator<string> {
  budget.folders -= 1;
  if (depth > deepest || budget.folders < 0) return;
  const entries = await listFolder(join(folder, below));
  const inner = {
    isLocked: isLocked || entries.some(({ name }) => kindOf(name) === 'lock'),
    depth: depth + 1,
    budget,
  };
  for (const { name, isFolder } of entries) {
    const path = below === '' ? name : `${below}/${name}`;
    if (!isFolder) {
      if (kindOf(path) !== null && !isAside(path)) yield path;
    } else if (name === 'node_modules') {
      if (!inner.isLocked) yield* walkInstalled(folder, path, inner);
    } else if (!isAside(`${path}/`)) yield* walk(folder, path, inner);
  }
}

/** Yields the manifests of OpenTelemetry packages at any depth of `node_modules`. */
async function* walkInstalled(folder: string, modules: string, walked: Walk): AsyncGenerator<string> {
  const { depth, budget } = walked;
  budget.folders -= 1;
  if (depth > deepest || budget.folders < 0) return;
  for (const { name, isFolder } of await listFolder(join(folder, modules))) {
    if (!isFolder || name.startsWith('.')) continue;
    const path = `${modules}/${name}`;
    const packages = name.startsWith('@')
      ? (await listFolder(join(folder, path))).map((entry) => `${name}/${entry.name}`)
      : [name];
    for (const each of packages) {
      if (isTelemetry(each)) yield `${modules}/${each}/package.json`;
      yield* walkInstalled(folder, `${modules}/${each}/node_modules`, { ...walked, depth: depth + 1 });
    }
  }
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Empty where the folder cannot be read, for instance because it belongs to another user: that is no fault of the project. */
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
