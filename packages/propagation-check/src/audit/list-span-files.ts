import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { SourceError } from '../source/source.ts';

export interface SpanFile {
  /** `-` for standard input. */
  readonly path: string;
  /** Null where the size is not known. */
  readonly size: number | null;
  /** Changes with the content, as far as the file system shows it. */
  readonly version: string;
  /** The file was found in a folder, so that it may hold something else. */
  readonly isFound?: true;
}

/**
 * The files that the paths name: files, folders with all subfolders, patterns such as `dump/*.json.gz`, or `-`. Hidden and empty files, files
 * of other signals and installed packages in folders are left out.
 * @throws {SourceError} where a path names nothing.
 */
export async function listSpanFiles(paths: readonly string[]): Promise<readonly SpanFile[]> {
  const lists = await Promise.all(paths.map(listFiles));
  const files = new Map(lists.flat().map((file) => [file.path, file]));
  return [...files.values()];
}

async function listFiles(path: string): Promise<readonly SpanFile[]> {
  if (path === '-') return [{ path, size: null, version: '' }];
  const found = await stat(path).catch((error: unknown) => describeFileError(error));
  if (typeof found === 'string') {
    const matches = await findMatches(path);
    if (matches.length > 0) return matches;
    throw new SourceError(`${quotePath(path)}: ${isPattern(path) ? 'no file matches' : found}`);
  }
  if (!found.isDirectory()) return [describeFile(path, found)];
  const files = await listFolder(path);
  if (files.length === 0) throw new SourceError(`${quotePath(path)}: no file of spans in this folder`);
  return files.map((file) => ({ ...file, isFound: true }));
}

async function listFolder(folder: string): Promise<readonly SpanFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    // Names the subfolder that cannot be read.
    const path = error instanceof Error && 'path' in error ? String(error.path) : folder;
    throw new SourceError(`${quotePath(path)}: ${describeFileError(error)}`);
  });
  const paths = entries
    .filter((entry) => entry.isFile() && !isHidden(relative(folder, entry.parentPath)))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(paths.sort().map(async (path) => describeFile(path, await stat(path))));
  return files.filter(({ path, size }) => size !== 0 && !isAside(basename(path)));
}

/** Whether the folder is hidden, or is below `node_modules` or a hidden folder. */
function isHidden(folder: string): boolean {
  return folder.split(sep).some((name) => name.startsWith('.') || name === 'node_modules');
}

/** Whether the file is hidden, a marker (`_SUCCESS`), or of metrics or logs. Source: awss3exporter names files `traces_…`, `metrics_…`, `logs_…`. */
function isAside(name: string): boolean {
  return /^[._]/.test(name) || /(?:^|[-_.])(?:metrics|logs)[-_.]/.test(name);
}

/** The files that match a pattern: a shell leaves quoted patterns as they are. */
async function findMatches(pattern: string): Promise<readonly SpanFile[]> {
  if (!isPattern(pattern)) return [];
  const { glob } = await import('tinyglobby');
  const paths = await glob(pattern, { dot: false, onlyFiles: true, absolute: pattern.startsWith('/') });
  return Promise.all(paths.sort().map(async (path) => describeFile(path, await stat(path))));
}

export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

function describeFile(path: string, found: Stats): SpanFile {
  return { path, size: found.isFile() ? found.size : null, version: `${found.size} ${found.mtimeMs}` };
}
