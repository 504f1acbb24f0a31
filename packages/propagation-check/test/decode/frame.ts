/** Requests as the Collector writes them to files: each behind its length. */
export function frame(...requests: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    requests.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
