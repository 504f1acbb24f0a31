import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A labelled capture of a real system, as JSON Lines. */
export function readCapture(name: string): Buffer {
  const file = new URL(`../../corpus/${name}/spans.otlp.jsonl.gz`, import.meta.url);
  return gunzipSync(readFileSync(file));
}

export const healthyCapture = 'go-kafka-parent';
export const brokenCapture = 'go-proxy-new-traceid';
