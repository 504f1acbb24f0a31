import { relative } from 'node:path';
import { findDocsFolder } from './find-docs-folder.ts';

/** The folder that holds the pages, relative to the working directory if that is shorter. */
export function findDocsRoot(): string {
  const root = findDocsFolder();
  if (root === null) return '';
  const near = relative(process.cwd(), root);
  const shown = near.length < root.length ? near : root;
  return shown === '' ? '' : `${shown}/`;
}
