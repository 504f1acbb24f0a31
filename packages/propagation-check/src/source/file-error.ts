import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';
import { escapeControls } from '../decode/quote-value.ts';
import { messageOf } from '../util/message-of.ts';
import { SourceError } from './source.ts';

export const emptyFile =
  'empty; expected spans (was it copied before the program had flushed and closed it?)';

const fileErrors: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space is left there; free some, or write elsewhere'],
  ['EDQUOT', 'the quota is used up; free some, or write elsewhere'],
  ['EROFS', 'the file system can only be read; write elsewhere'],
  ['ELOOP', 'a symbolic link that leads back to itself'],
  ['ENAMETOOLONG', 'the name is too long'],
]);

/** Describes why a file could not be read or written. */
export function describeFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return describeMissing(error);
  if (code === 'EISDIR') return 'a folder; name a file in it';
  if (code === 'ENOTDIR') return 'no such file: a part of the path is not a folder';
  if (code === 'EACCES' || code === 'EPERM') return 'not allowed (permission denied)';
  if (code === 'ERR_INVALID_ARG_VALUE') return 'not a valid path';
  const known = typeof code === 'string' ? fileErrors.get(code) : undefined;
  if (known !== undefined) return known;
  return messageOf(error);
}

/** Names the folder if the folder is missing too. A URL looks like a file in a folder. */
function describeMissing(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? error.path : undefined;
  if (typeof path === 'string' && /^https?:\/{1,2}/i.test(path))
    return 'a URL, not a file; save what it answers (curl -o spans.json URL), and name that file';
  const folder = typeof path === 'string' ? dirname(path) : '.';
  return existsSync(folder) ? 'no such file' : `no such file: there is no folder ${quotePath(folder)}`;
}

/**
 * Shows a path below the working directory relative to it, so that reports are the same on every machine. Quotes a path that a terminal
 * could misinterpret.
 */
export function quotePath(path: string): string {
  const near = isAbsolute(path) ? relative(process.cwd(), path) : '';
  const shown = near === '' || near.startsWith('..') || isAbsolute(near) ? path : near;
  const quoted = escapeControls(JSON.stringify(shown));
  return shown !== '' && quoted === `"${shown}"` ? shown : quoted;
}

export function tooLarge(label: string, maxBytes: number): SourceError {
  return new SourceError(
    `${label}: larger than ${maxBytes} bytes; split it, or keep only the traces in question`,
  );
}
