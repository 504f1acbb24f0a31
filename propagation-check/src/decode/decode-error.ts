/**
 * The bytes or the document are not what the format says.
 * The message starts with where: `resourceSpans[0].scopeSpans[1].spans[7].traceId: …`, `line 12: …`, `byte 3041: …`.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}
