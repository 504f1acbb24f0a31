import { getHeapStatistics } from 'node:v8';
import { TooLargeError } from './gunzip.ts';

/** Below this size a file fits into any machine. */
const smallBytes = 16 * 1024 * 1024;
/** Measured: memory for each JSON value of a parsed document, with its share of the spans and of the check. */
const bytesPerValue = 48;

const signs = {
  /** Each JSON value has one of these characters before or after it. */
  json: new Set([...',{['].map((sign) => sign.charCodeAt(0))),
  /** The most frequent tag of a nested message. */
  protobuf: new Set([0x0a]),
} as const;

/**
 * Estimates the memory that a document needs, because Node ends the whole process when it runs out of memory.
 * @throws {TooLargeError} when the document needs more than Node may take.
 */
export function checkMemory(bytes: Uint8Array, format: keyof typeof signs): void {
  if (bytes.length < smallBytes) return;
  let values = 0;
  for (const byte of bytes) if (signs[format].has(byte)) values += 1;
  const needed = bytes.length * 2 + values * bytesPerValue;
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  if (needed <= limit - used) return;
  throw new TooLargeError(
    `byte 0: needs about ${toMiB(needed)} MiB of memory, and Node may take ${toMiB(limit - used)} MiB more; ` +
      `split it, or set NODE_OPTIONS=--max-old-space-size=${toMiB(used + needed * 1.5)}`,
  );
}

/** Rounded up. */
export function toMiB(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
