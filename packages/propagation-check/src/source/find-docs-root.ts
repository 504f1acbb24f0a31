import { relative } from 'node:path';
import { findDocsFolder } from './find-docs-folder.ts';

/** The folder that holds the pages, as seen from where the reader is. */
export function findDocsRoot(): string {
  const root = findDocsFolder();
  if (root === null) return '';
  const near = relative(process.cwd(), root);
  const shown = near.length < root.length ? near : root;
  return shown === '' ? '' : `${shown}/`;
}
