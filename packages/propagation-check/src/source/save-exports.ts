import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import { ExportTraceServiceRequestSchema } from '../decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { parseJson } from '../decode/parse-json.ts';
import { encodeOtlpLines } from '../span/encode-otlp-lines.ts';
import type { AcceptedExport, ExportSink } from './export-request.ts';
import { describeFileError, quotePath } from './file-error.ts';
import { SourceError } from './source.ts';

/**
 * Writes received spans to a file as OTLP JSON Lines, one export on each line, including data that no rule reads (events, schema URLs).
 * The file is complete after `close`.
 * @param path Path of the file, which is overwritten; it is compressed if the name ends in `.gz`.
 * @throws {SourceError} when the file cannot be opened.
 */
export async function openSave(path: string): Promise<ExportSink> {
  const file = await openFile(path);
  const input = path.endsWith('.gz') ? createGzip() : new PassThrough();
  let failure: unknown = null;
  // The old content stays until the first export. A device cannot be truncated, and need not be.
  let emptied: Promise<void> | null = null;
  const written = pipeline(input, file.createWriteStream()).catch((error: unknown) => {
    failure = error;
  });
  return {
    async take(accepted) {
      if (accepted.spanCount === 0 || failure !== null || input.writableEnded) return;
      emptied ??= file.truncate().catch(() => undefined);
      await emptied;
      if (failure !== null || input.writableEnded) return;
      // Waits for the disk, so that exporters wait too and memory does not grow.
      if (!input.write(encodeExport(accepted))) await Promise.race([drained(input), written]);
    },
    async close() {
      input.end();
      await written;
      if (failure !== null)
        throw new SourceError(`${describe(path)}: the file is not complete: ${describeFileError(failure)}`);
    },
  };
}

/** Errors are reported by the pipeline. */
async function drained(input: Writable): Promise<void> {
  await once(input, 'drain').catch(() => undefined);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Readable only by the owner: attributes may hold secrets.
    return await open(path, 'a', 0o600);
  } catch (error) {
    throw new SourceError(`${describe(path)}: ${describeFileError(error)}`);
  }
}

function encodeExport({ type, body, validSpans }: AcceptedExport): string {
  // With its invalid spans the export could not be read again.
  if (validSpans !== null) return encodeOtlpLines(validSpans);
  return `${type === 'application/json' ? JSON.stringify(parseJson(body)) : toOtlpJson(body)}\n`;
}

const idFields: ReadonlySet<string> = new Set(['traceId', 'spanId', 'parentSpanId']);

/** Source: OTLP specification, "JSON Protobuf Encoding": the mapping of protobuf, but ids in hex and enums as numbers. */
function toOtlpJson(body: Uint8Array): string {
  const request = fromBinary(ExportTraceServiceRequestSchema, body, { readUnknownFields: false });
  const json = toJson(ExportTraceServiceRequestSchema, request, { enumAsInteger: true });
  return JSON.stringify(json, (key, value) =>
    idFields.has(key) && typeof value === 'string' ? Buffer.from(value, 'base64').toString('hex') : value,
  );
}

function describe(path: string): string {
  return `--save ${quotePath(path)}`;
}
