import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import type { Span } from '../../src/span/span.ts';

export interface Capture {
  readonly name: string;
  readonly spans: readonly Span[];
}

/** The labelled captures of the package. */
export function listCaptures(): readonly Capture[] {
  return ['corpus', 'captures'].flatMap((folder) => {
    const path = join(import.meta.dirname, '..', '..', folder);
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => {
        const file = readdirSync(join(path, name)).find((entry) => entry.startsWith('spans.otlp.jsonl'));
        if (file === undefined) return [];
        const bytes = readFileSync(join(path, name, file));
        return [{ name, spans: decodeJsonLines(file.endsWith('.gz') ? gunzipSync(bytes) : bytes) }];
      });
  });
}
