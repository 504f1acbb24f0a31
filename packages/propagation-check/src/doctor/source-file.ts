import { dirname, join } from 'node:path/posix';
import { type Place, placeAt } from './place.ts';
import type { ProjectFile } from './project-file.ts';

/** A source file whose comments are replaced by spaces, so that offsets stay. */
export interface SourceFile extends ProjectFile {
  readonly imports: readonly Import[];
}

export interface Import {
  readonly from: string;
  /** The text between `import` and `from`; empty for `require`. */
  readonly names: string;
  readonly kind: 'import' | 'require' | 'dynamic';
  readonly offset: number;
}

export function readSource({ path, text }: ProjectFile): SourceFile {
  const code = blankComments(text, path.endsWith('.py') ? /#/ : /\/\/|\/\*/);
  return { path, text: code, imports: /\.[cm]?[jt]s$/.test(path) ? listImports(code) : [] };
}

/** The first match of a pattern outside comments. */
export function findFirst(source: ProjectFile, pattern: RegExp): Place | null {
  const match = pattern.exec(source.text);
  return match === null ? null : placeAt(source, match.index + match[0].search(/\S/));
}

const quotes = /["'`]/;

/** Replaces comments by spaces, but not in strings. A quote in a regular expression may hide a comment on the same line. */
function blankComments(text: string, comment: RegExp): string {
  const token = new RegExp(`${comment.source}|${quotes.source}`, 'g');
  const parts: string[] = [];
  let from = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [sign] = match;
    const end = quotes.test(sign)
      ? endOfString(text, match.index, sign)
      : endOfComment(text, match.index, sign);
    if (!quotes.test(sign)) {
      parts.push(text.slice(from, match.index), text.slice(match.index, end).replace(/[^\n]/g, ' '));
      from = end;
    }
    token.lastIndex = Math.max(end, match.index + 1);
  }
  return parts.join('') + text.slice(from);
}

function endOfComment(text: string, start: number, sign: string): number {
  const end = sign === '/*' ? text.indexOf('*/', start + 2) + 2 : text.indexOf('\n', start);
  return end <= 1 ? text.length : end;
}

/** The end of a string: at most the end of the line, except for template strings. */
function endOfString(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at + 1;
    else if (text[at] === '\n' && quote !== '`') return at;
  }
  return text.length;
}

const importForms =
  /(?<=^|[;\n}])[ \t]*(?:import|export)\s+(?!type\b)([\w*{}\s,$]*?)\s*(?:from\s*)?['"]([^'"\n]+)['"]|\brequire\(\s*['"]([^'"\n]+)['"]\s*\)|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;

function listImports(code: string): readonly Import[] {
  return [...code.matchAll(importForms)].flatMap((match) => {
    const [whole, names = '', imported, required, dynamic] = match;
    const from = imported ?? required ?? dynamic;
    if (from === undefined) return [];
    const kind = imported !== undefined ? 'import' : required !== undefined ? 'require' : 'dynamic';
    return [{ from, names, kind, offset: match.index + whole.search(/\S/) }];
  });
}

/** The path of a source without its extension: `src/app.ts` is imported as `./app.js`, and built into `dist/app.js`. */
export function withoutEnding(path: string): string {
  return path.replace(/\.(?:[cm]?[jt]s)$/, '');
}

/** The source to which a relative import leads; null where it was not read. */
export function resolveImport(
  source: ProjectFile,
  { from }: Import,
  byPath: ReadonlyMap<string, SourceFile>,
): SourceFile | null {
  if (!from.startsWith('.')) return null;
  const target = join(dirname(source.path), from);
  return byPath.get(withoutEnding(target)) ?? byPath.get(join(target, 'index')) ?? null;
}
