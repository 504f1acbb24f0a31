import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { decodeJsonLines } from '../propagation-check/src/decode/json-lines.ts';
import { type Expectation, expectPath, noExpectation } from '../propagation-check/src/expectation.ts';
import type { Span } from '../propagation-check/src/span.ts';
import type { Label } from './score-capture.ts';

/** One labelled capture of a real system. */
export interface Capture {
  readonly name: string;
  readonly label: Label;
  readonly expectation: Expectation;
  readonly spans: readonly Span[];
}

const labelSchema = z
  .object({
    verdict: z.enum(['healthy', 'broken']),
    truth: z.string().nullable(),
    symptoms: z.array(z.string()),
    path: z.array(z.string()),
    broken_edges: z.array(
      z.object({
        client_service: z.string(),
        server_service: z.string(),
        broken_count: z.number(),
        total_count: z.number(),
      }),
    ),
  })
  .transform(({ broken_edges, ...label }) => ({
    ...label,
    brokenEdges: broken_edges.map((edge) => ({
      client: edge.client_service,
      server: edge.server_service,
      broken: edge.broken_count,
      total: edge.total_count,
    })),
  }));

/** Reads every folder with a `label.json` and a capture (`spans.otlp.jsonl`, or the same with `.gz`). */
export function readCorpus(folder: URL): readonly Capture[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readCapture(entry.name, new URL(`${entry.name}/`, folder)))
    .sort((left, right) => left.name.localeCompare(right.name));
}

function readCapture(name: string, folder: URL): Capture {
  const { path, ...label } = labelSchema.parse(
    JSON.parse(readFileSync(new URL('label.json', folder), 'utf8')),
  );
  const file = readdirSync(folder).find((entry) => entry.startsWith('spans.otlp.jsonl'));
  if (file === undefined) throw new Error(`${folder.pathname}: no spans.otlp.jsonl`);
  const bytes = readFileSync(new URL(file, folder));
  return {
    name,
    label,
    expectation: { ...noExpectation, edges: expectPath(path) },
    spans: decodeJsonLines(file.endsWith('.gz') ? gunzipSync(bytes) : bytes),
  };
}
