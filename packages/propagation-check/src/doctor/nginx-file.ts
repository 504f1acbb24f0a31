import type { ProjectFile } from './project-file.ts';

export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
  readonly offset: number;
  /** The directives in its braces; null without braces. */
  readonly block: readonly Directive[] | null;
}

const token = /#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|(?:\\.|\$\{[^}]*\}|[^\s{};"'#\\])[^\s{};]*/g;

/** The deepest nesting of blocks that is read: http, server, location, if. */
const deepest = 16;

/** Parses a configuration; null where the text is not one. Source: nginx, "Configuration File's Structure". */
export function readNginx({ text }: ProjectFile): readonly Directive[] | null {
  const root: Directive[] = [];
  const open: Directive[][] = [root];
  let words: { readonly text: string; readonly offset: number }[] = [];
  for (const { 0: sign, index } of text.matchAll(token)) {
    if (sign.startsWith('#')) continue;
    const block = open.at(-1);
    if (block === undefined) return null;
    if (sign === ';' || sign === '{') {
      const [first, ...rest] = words;
      words = [];
      if (first === undefined) return null;
      const inner: Directive[] | null = sign === '{' ? [] : null;
      block.push({
        name: first.text.toLowerCase(),
        words: rest.map((word) => word.text),
        offset: first.offset,
        block: inner,
      });
      if (inner !== null) open.push(inner);
      if (open.length > deepest) return null;
    } else if (sign === '}') {
      if (words.length > 0 || open.length === 1) return null;
      open.pop();
    } else words.push({ text: sign.replace(/^(["'])(.*)\1$/s, '$2'), offset: index });
  }
  return open.length === 1 && words.length === 0 ? root : null;
}
