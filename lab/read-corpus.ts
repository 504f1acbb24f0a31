import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeBytes, type Expectation, expectPath, noExpectation, type Span } from 'propagation-check';
import { UsageError } from 'propagation-check/kit';
import { z } from 'zod';
import type { Label } from './score-capture.ts';

/** The folders of the project's own captures. */
export const corpusFolders = ['corpus', 'captures'].map((name) =>
  join(import.meta.dirname, '..', 'packages', 'propagation-check', name),
);

/** One labelled capture of a real system. */
export interface Capture {
  readonly name: string;
  readonly label: Label;
  readonly expectation: Expectation;
  readonly spans: readonly Span[];
  /** The same spans in the order of arrival: each export of a process is a batch. */
  readonly batches: readonly (readonly Span[])[];
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

/**
 * Reads every folder with a `label.json` and a capture (`spans.otlp.jsonl`, or the same with `.gz`).
 * @throws {UsageError} when a file is missing or has another format.
 */
export function readCorpus(folder: string): readonly Capture[] {
  return orRefuse(folder, () => readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => readCapture(entry.name, join(folder, entry.name)))
    .sort((left, right) => left.name.localeCompare(right.name));
}

function readCapture(name: string, folder: string): Capture {
  const labelFile = join(folder, 'label.json');
  const { path, ...label } = orRefuse(labelFile, () =>
    labelSchema.parse(JSON.parse(readFileSync(labelFile, 'utf8'))),
  );
  const file = readdirSync(folder).find((entry) => entry.startsWith('spans.otlp.jsonl'));
  if (file === undefined) throw new UsageError(`${folder}: there is no spans.otlp.jsonl`);
  const batches = orRefuse(join(folder, file), () => {
    const bytes = readFileSync(join(folder, file));
    const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n');
    return lines.filter((line) => line.trim() !== '').map((line) => decodeBytes(Buffer.from(line)).spans);
  });
  return {
    name,
    label,
    expectation: { ...noExpectation, edges: path.length === 0 ? [] : expectPath(path) },
    spans: batches.flat(),
    batches,
  };
}

function orRefuse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof z.ZodError) throw new UsageError(`${path}: ${z.prettifyError(error)}`);
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
