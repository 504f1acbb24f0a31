/**
 * The bytes or the document do not conform to their format.
 * The message starts with the place: `resourceSpans[0].scopeSpans[1].spans[7].traceId: …`, `line 12: …`, `byte 3041: …`.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** The bytes are not recognised as traces of any format: a command that reads many files may skip such a file. */
export class ForeignContentError extends DecodeError {}

/** A JSON object without any field of a trace, such as a configuration. */
export class OtherDocumentError extends ForeignContentError {}

/** The content is recognised and holds no spans, for example another file that this tool writes. */
export class SpanlessContentError extends ForeignContentError {
  /** The kind of content, and advice. */
  readonly content: string;

  constructor(message: string, content: string) {
    super(message);
    this.content = content;
  }
}

/** @param what The kind of content. @param advice What the user can do with it. */
export function makeSpanlessError(place: string, what: string, advice?: string): SpanlessContentError {
  const more = advice === undefined ? '' : `; ${advice}`;
  return new SpanlessContentError(`${place}: ${what}, and no spans${more}`, `${what}${more}`);
}

/** A copy of the error, with another message. */
export function reword(error: DecodeError, message: string): DecodeError {
  if (error instanceof SpanlessContentError) return new SpanlessContentError(message, error.content);
  if (error instanceof OtherDocumentError) return new OtherDocumentError(message);
  return error instanceof ForeignContentError ? new ForeignContentError(message) : new DecodeError(message);
}

/**
 * Puts an outer path in front of the error's path: `spanId: …` under `spans[7]` becomes `spans[7].spanId: …`.
 * An error without a path of its own starts with a colon: `: expected an object`. Other errors are returned unchanged.
 */
export function prefixPath(path: string, error: unknown): unknown {
  if (!(error instanceof DecodeError)) return error;
  const separator = path === '' || /^[:[]/.test(error.message) ? '' : '.';
  return reword(error, `${path}${separator}${error.message}`);
}
