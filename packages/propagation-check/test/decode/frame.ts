/** Puts its length in front of each request, as the Collector's file exporter does. */
export function frame(...requests: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    requests.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
