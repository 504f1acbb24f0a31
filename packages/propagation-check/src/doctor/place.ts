/** A place in a file. Lines and columns begin at 1. */
export interface Place {
  /** Relative to the examined folder, with `/`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** The place of an offset in the text. */
export function placeAt(
  { path, text }: { readonly path: string; readonly text: string },
  offset: number,
): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { path, line: before.split('\n').length, column: offset - lineStart + 1 };
}

export interface Line {
  readonly place: Place;
  readonly groups: readonly (string | undefined)[];
}

/** The lines that match a pattern, with its groups. */
export function findLines(
  file: { readonly path: string; readonly text: string },
  pattern: RegExp,
): readonly Line[] {
  return file.text.split('\n').flatMap((text, index) => {
    const match = pattern.exec(text);
    if (match === null) return [];
    const column = match.index + match[0].search(/\S/) + 1;
    return [{ place: { path: file.path, line: index + 1, column }, groups: match.slice(1) }];
  });
}
