import { gunzipSync, gzipSync } from 'node:zlib';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { decodeSpans } from './decode-spans.ts';

/** Spans that wait to be sent. */
export interface Batch {
  readonly spans: number;
  /** One OTLP/JSON export request and a line feed, gzipped. */
  readonly body: Uint8Array;
  /** The path of the spool file that also holds these spans, or null. */
  readonly spoolFile: string | null;
}

/** The memory of a batch besides its body, estimated, in bytes. It matters when there are many small batches. */
const overheadBytes = 512;

/** The memory of a batch, in bytes. */
export function sizeOf(batch: Batch): number {
  return batch.body.byteLength + overheadBytes;
}

/** Packs spans, into at most a tenth of the memory of the objects. */
export function packSpans(spans: readonly ReadableSpan[]): Batch {
  const json = JsonTraceSerializer.serializeRequest([...spans]) ?? new Uint8Array();
  // zlib returns a view of a larger buffer, which would stay in memory.
  const body = new Uint8Array(gzipSync(Buffer.concat([json, Buffer.from('\n')]), { level: 1 }));
  return { spans: spans.length, body, spoolFile: null };
}

export function unpackSpans(batch: Batch): ReadableSpan[] {
  return decodeSpans(gunzipSync(batch.body).toString());
}
