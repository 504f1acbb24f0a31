/**
 * The bytes or the document are not what the format says.
 * The message starts with where: `resourceSpans[0].scopeSpans[1].spans[7].traceId: …`, `line 12: …`, `byte 3041: …`.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** The bytes are not recognised as traces of any format: a command that reads many files may leave such a file out. */
export class ForeignContentError extends DecodeError {}

/** It is known what the bytes hold, and that it is no span, such as what this tool writes beside spans. */
export class SpanlessContentError extends ForeignContentError {
  /** What they hold, and what to do with it. */
  readonly content: string;

  constructor(message: string, content: string) {
    super(message);
    this.content = content;
  }
}

/** @param what What the content is. @param advice What to do with it. */
export function makeSpanlessError(place: string, what: string, advice?: string): SpanlessContentError {
  const more = advice === undefined ? '' : `; ${advice}`;
  return new SpanlessContentError(`${place}: ${what}, and no spans${more}`, `${what}${more}`);
}

/** A copy of the error, with another message. */
export function reword(error: DecodeError, message: string): DecodeError {
  if (error instanceof SpanlessContentError) return new SpanlessContentError(message, error.content);
  return error instanceof ForeignContentError ? new ForeignContentError(message) : new DecodeError(message);
}

/**
 * The same error, seen from further out: `spanId: …` under `spans[7]` becomes `spans[7].spanId: …`.
 * An error without a path of its own starts with a colon: `: expected an object`. Other errors are returned as they are.
 */
export function prefixPath(path: string, error: unknown): unknown {
  if (!(error instanceof DecodeError)) return error;
  const separator = path === '' || /^[:[]/.test(error.message) ? '' : '.';
  return reword(error, `${path}${separator}${error.message}`);
}
