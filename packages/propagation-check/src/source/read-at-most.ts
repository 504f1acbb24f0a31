/** Reads a stream to its end. @throws what `refuse` returns, if there are more than `most` bytes. */
export async function readAtMost(
  chunks: AsyncIterable<unknown>,
  most: number,
  refuse: () => Error,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    // Copied, because a stream may reuse the buffer of a chunk.
    const part = chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk));
    length += part.length;
    if (length > most) throw refuse();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
