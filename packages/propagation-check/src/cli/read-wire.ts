import * as z from 'zod';
import { DecodeError } from '../decode/decode-error.ts';
import { parseJson } from '../decode/parse-json.ts';
import { quoteValue } from '../decode/quote-value.ts';
import { isSpace } from '../decode/white-space.ts';
import type { PropagationFormat, WireRecord } from '../headers/evidence.ts';
import { type TraceparentFault, traceparentFaults } from '../headers/parse-traceparent.ts';
import { idHeaders } from '../headers/propagation-header.ts';
import { isPacketFile, PacketFileError } from '../packets/read-packets.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { readWholeFile } from '../source/read-whole-file.ts';
import { findOtherContent } from './find-other-content.ts';
import { UsageError } from './usage-error.ts';

const newline = 0x0a;

const format = z.custom<PropagationFormat>(
  (value) => typeof value === 'string' && Object.hasOwn(idHeaders, value),
);
const traceparentFault = z.custom<TraceparentFault>(
  (value) => typeof value === 'string' && Object.hasOwn(traceparentFaults, value),
);
const reading = z.discriminatedUnion('state', [
  z.object({
    format,
    state: z.literal('valid'),
    traceId: z.string().nullable(),
    spanId: z.string().nullable(),
    sampled: z.boolean().nullable(),
  }),
  z.object({
    format,
    state: z.literal('malformed'),
    reason: z.union([traceparentFault, z.literal('invalid')]),
  }),
  z.object({ format, state: z.literal('duplicated'), count: z.number() }),
]);
const headers = z.array(z.object({ name: z.string(), value: z.string() }));
const context = z.object({
  headers,
  contexts: z.array(reading),
  baggage: z.array(z.object({ key: z.string(), value: z.string(), redacted: z.literal(true).optional() })),
});

const answered = z.object({
  headers,
  span: z.object({ traceId: z.string(), spanId: z.string(), sampled: z.boolean() }).nullable(),
});

/** Unknown fields are ignored, because a later version of the tap may add some. */
const record: z.ZodType<WireRecord> = z.object({
  time: z.iso.datetime('expected a time, RFC 3339 in UTC'),
  durationMs: z.number().nonnegative(),
  tap: z.string(),
  target: z.string(),
  client: z.string().nullable(),
  server: z.string().nullable(),
  host: z.string().nullable().default(null),
  calledAt: z.string().nullable().default(null),
  callsFrom: z.string().nullable().default(null),
  protocolVersion: z.enum(['1.0', '1.1', '2']),
  method: z.string(),
  path: z.string(),
  sent: context,
  received: context.nullable(),
  faults: z.array(z.string()),
  status: z.number().nullable(),
  answered: answered.nullable().default(null),
  clientAborted: z.boolean(),
  targetError: z.string().nullable(),
});

/** The content of a file of `--wire`. */
export interface WireFile {
  /** `--wire FILE` */
  readonly label: string;
  readonly records: readonly WireRecord[];
  /** Whether it is a capture of packets. */
  readonly isCapture: boolean;
  /** Notes on missing parts: the file is empty, or a part of it was left out. */
  readonly gaps: readonly string[];
}

/**
 * Reads a capture of packets, or JSON Lines of `propagation-check tap`. A last line that is cut off is left out: the tap is still writing it.
 * @throws {UsageError} with the file and the line of the fault.
 */
export async function readWireFile(path: string): Promise<WireFile> {
  const label = labelOf(path);
  const bytes = await readWholeFile(path).catch((error: unknown) => {
    throw new UsageError(`${label}: ${describeFileError(error)}`);
  });
  if (isPacketFile(bytes)) return parseCapture(bytes, label);
  const records = await parseRecords(bytes, label);
  return { label, records, isCapture: false, gaps: describeGap(bytes, label) };
}

/** @throws {UsageError} that names the content where it is no record of a tap. */
async function parseRecords(bytes: Buffer, label: string): Promise<readonly WireRecord[]> {
  try {
    return parseWireRecords(bytes, label);
  } catch (error) {
    const other = error instanceof UsageError ? await findOtherContent(bytes, '--wire') : null;
    throw other === null ? error : new UsageError(`${label}: ${other}`);
  }
}

async function parseCapture(bytes: Buffer, label: string): Promise<WireFile> {
  // Loaded only here, because few files are captures.
  const { readCapture } = await import('../packets/read-capture.ts');
  try {
    const { records, gaps } = readCapture(bytes);
    return { label, records, isCapture: true, gaps: gaps.map((gap) => `${label}: ${gap}`) };
  } catch (error) {
    if (error instanceof PacketFileError) throw new UsageError(`${label}: ${error.message}`);
    throw error;
  }
}

function describeGap(bytes: Buffer, label: string): readonly string[] {
  if (bytes.every(isSpace)) return [`${label}: empty; did the requests go through the tap?`];
  const last = bytes.subarray(bytes.lastIndexOf(newline) + 1);
  if (last.every(isSpace) || parseWireRecords(last, label).length > 0) return [];
  return [`${label}: the last line is cut off and left out; the tap is still writing it, or was killed`];
}

function labelOf(path: string): string {
  return `--wire ${quotePath(path)}`;
}

export function parseWireRecords(bytes: Uint8Array, label: string): readonly WireRecord[] {
  const records: WireRecord[] = [];
  for (let start = 0, line = 1; start < bytes.length; line += 1) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    const text = bytes.subarray(start, end);
    start = end + 1;
    if (text.every(isSpace)) continue;
    try {
      records.push(parseRecord(text));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (found < 0 && error.message.includes('ends early')) break;
      throw new UsageError(
        `${label}: line ${line}: ${error.message}; expected what propagation-check tap writes`,
      );
    }
  }
  return records;
}

function parseRecord(bytes: Uint8Array): WireRecord {
  const parsed = record.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map(String).join('.');
  const message = (issue?.message ?? 'not valid').replace(/^Invalid input: /, '');
  throw new DecodeError(`${path === '' ? '' : `${quoteValue(path)}: `}${message}`);
}
