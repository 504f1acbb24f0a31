import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
/** Includes untracked files, so that a new page passes before it is committed. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const folders = new Set(files.flatMap(listFolders));
const pages = files.filter((path) => path.endsWith('.md'));

/** Paths that commands create, that belong to other systems, or that users write. */
const elsewhere = ['dist/', 'out/', 'host.json', 'propagation-check.yaml'];

describe('each page', () => {
  for (const page of pages) {
    it(`${page} links to pages, headings and files that exist`, () => {
      for (const link of linksOf(read(page))) {
        if (/^(https?|mailto):/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, '');
        assert.ok(files.includes(target) || folders.has(target), `${link}: no such file`);
        if (anchor !== undefined)
          assert.ok(anchorsOf(read(target)).includes(anchor), `${link}: no such heading`);
      }
    });

    it(`${page} names paths that exist`, () => {
      const missing = pathsOf(read(page)).filter((path) => !exists(path));
      assert.deepEqual(missing, []);
    });
  }
});

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```$/gms, '');
}

function linksOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** Code spans that look like a path of this repository: a file with an extension that the repository has, or a folder. */
function pathsOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code ?? '')
    .filter((code) => /^[\w.@*<>/-]+$/.test(code))
    .filter((code) => /[\w>*-]\.(ts|mjs|ya?ml|md|json|jsonl|proto)$/.test(code) || /^[^/].*\/$/.test(code));
}

/** A page may leave out the folders that it is about, and may write `*` or `<name>` for a part of a name. */
function exists(path: string): boolean {
  if (elsewhere.includes(path)) return true;
  const name = path
    .replace(/\/$/, '')
    .replace(/[.]/g, '\\.')
    .replace(/\*+|<[^>]*>/g, '[^/]*');
  const format = new RegExp(`(^|/)${name}$`);
  return [...(path.endsWith('/') ? folders : files)].some((one) => format.test(one));
}

function listFolders(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [parent, ...listFolders(parent)];
}

/** Anchors of headings as GitHub makes them: lower case, punctuation removed, spaces replaced by hyphens. */
function anchorsOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
