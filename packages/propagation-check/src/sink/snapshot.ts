import { z } from 'zod';
import { DecodeError } from '../decode/decode-error.ts';
import { parseJson } from '../decode/parse-json.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { readWholeFile } from '../source/read-whole-file.ts';
import { replaceFile } from '../source/replace-file.ts';
import { SourceError } from '../source/source.ts';
import { type EdgeCount, judgedApart, verdicts } from './edge-counters.ts';
import type { JudgeTotals } from './judge-totals.ts';

const version = 1;
const count = z.number().int().nonnegative();
/** The name of `judged-apart` in older snapshots. */
const earlierJudgedApart = 'late';
const schema = z.object({
  version: z.literal(version),
  /** ISO 8601. */
  savedAt: z.iso.datetime(),
  totals: z.object({
    ...{ received: count, invalid: count, late: count, judged: count, tracesJudged: count, batches: count },
    ...{ failedBatches: count.default(0), repeated: count.default(0) },
    judgeMs: z.number().nonnegative(),
    closed: z.object({ inactive: count, age: count, memory: count, stop: count }),
  }),
  exports: z.object({
    received: count,
    refused: z.object({
      ...{ memory: count, backlog: count, bodies: count, invalid: count },
      fault: count.default(0),
    }),
  }),
  /** Spans that earlier processes had received but not judged when they were killed. */
  lost: count,
  edges: z.array(
    z.object({
      ...{
        client: z.string(),
        server: z.string(),
        verdict: z.enum(verdicts),
        cause: z.string().transform((cause) => (cause === earlierJudgedApart ? judgedApart : cause)),
        calls: count,
      },
      examples: z.array(z.object({ traceId: z.string(), spanIds: z.array(z.string()) })),
    }),
  ),
});

/** Counters that outlive the process. */
export interface Snapshot {
  readonly totals: JudgeTotals;
  readonly exports: z.infer<typeof schema>['exports'];
  readonly lost: number;
  readonly edges: readonly EdgeCount[];
}

/** @returns null where there is no file yet. @throws {SourceError} when the file cannot be read. */
export async function readSnapshot(path: string): Promise<Snapshot | null> {
  let bytes: Buffer;
  try {
    bytes = await readWholeFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new SourceError(`--state ${quotePath(path)}: ${describeFileError(error)}`);
  }
  const fault = (reason: string): SourceError =>
    new SourceError(
      `--state ${quotePath(path)}: ${reason}; put a copy of it back, name another file, or move it away to count from zero`,
    );
  if (bytes.length === 0) throw fault('empty');
  const found = schema.safeParse(parse(bytes, fault));
  if (found.success) return found.data;
  const place = found.error.issues[0]?.path.join('.') ?? '';
  if (place === '' || place === 'version') throw fault(`no counters of a sink, of version ${version}`);
  throw fault(`damaged, ${place} is missing or wrong`);
}

/** Replaces the file atomically: a process that is killed leaves the old or the new one. @throws {SourceError} */
export async function writeSnapshot(path: string, snapshot: Snapshot): Promise<void> {
  // Before the first await, so that all counters are from one moment.
  const text = `${JSON.stringify({ version, savedAt: new Date().toISOString(), ...snapshot })}\n`;
  try {
    await replaceFile(path, text);
  } catch (error) {
    throw new SourceError(
      `--state ${quotePath(path)}: the counters cannot be saved: ${describeFileError(error)}`,
    );
  }
}

function parse(bytes: Uint8Array, fault: (reason: string) => SourceError): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw error instanceof DecodeError ? fault(`damaged at ${error.message}`) : error;
  }
}
