import { gunzipSync, gzipSync } from 'node:zlib';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { decodeSpans } from './decode-spans.ts';

/** Some spans that wait to be sent. */
export interface Batch {
  /** How many. */
  readonly spans: number;
  /** One OTLP/JSON export request and a line feed, gzipped. */
  readonly body: Uint8Array;
  /** Path of the spool file that has these spans too, or null. */
  readonly spoolFile: string | null;
}

/** Memory of a batch besides its body, estimated, in bytes. Without it, many small batches would exceed the bound. */
const overheadBytes = 512;

/** Bytes of memory. */
export function sizeOf(batch: Batch): number {
  return batch.body.byteLength + overheadBytes;
}

/** At most a tenth of the memory of the spans as objects. */
export function packSpans(spans: readonly ReadableSpan[]): Batch {
  const json = JsonTraceSerializer.serializeRequest([...spans]) ?? new Uint8Array();
  // zlib answers with a window into a larger buffer, which would be kept with it.
  const body = new Uint8Array(gzipSync(Buffer.concat([json, Buffer.from('\n')]), { level: 1 }));
  return { spans: spans.length, body, spoolFile: null };
}

export function unpackSpans(batch: Batch): ReadableSpan[] {
  return decodeSpans(gunzipSync(batch.body).toString());
}
