import { isUtf8 } from 'node:buffer';
import type { DecodeError } from '../decode/decode-error.ts';
import { decodeOtlpJson } from '../decode/otlp-json.ts';
import { decodeOtlpProtobuf } from '../decode/otlp-protobuf.ts';
import { parseJson } from '../decode/parse-json.ts';
import { OtlpJsonScanner } from '../decode/scan-otlp-json.ts';
import { OtlpProtobufScanner } from '../decode/scan-otlp-protobuf.ts';
import { sourceOf } from '../span/byte-source.ts';
import type { Span } from '../span/span.ts';
import type { SpanWriter } from '../span/span-writer.ts';
import type { ExportRequest } from './export-request.ts';

export interface ReadExport {
  /** The number of valid spans. */
  readonly spanCount: number;
  /** The valid spans if others were left out; null if the whole export is valid. */
  readonly validSpans: readonly Span[] | null;
  /** Why spans were left out. */
  readonly rejected: readonly DecodeError[];
}

/** Reads exports of traces into columns: each with the scanner, or with the strict decoder where the scanner refuses. */
export class ExportReader {
  readonly #writer: SpanWriter;
  readonly #json: OtlpJsonScanner;
  readonly #protobuf: OtlpProtobufScanner;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
    this.#json = new OtlpJsonScanner(writer);
    this.#protobuf = new OtlpProtobufScanner(writer);
  }

  /** Leaves out each span that is not valid. @throws {DecodeError} when the export cannot be read. */
  read(request: ExportRequest): ReadExport {
    const firstRow = this.#writer.rows;
    if (this.#scan(request)) {
      return { spanCount: this.#writer.rows - firstRow, validSpans: null, rejected: [] };
    }
    const rejected: DecodeError[] = [];
    const spans = decode(request, (error) => void rejected.push(error));
    for (const span of spans) this.#writer.addSpan(span);
    return { spanCount: spans.length, validSpans: rejected.length === 0 ? null : spans, rejected };
  }

  #scan({ type, body }: ExportRequest): boolean {
    const source = sourceOf(body);
    return type === 'application/json'
      ? isUtf8(body) && this.#json.scan(source, 0, body.length)
      : this.#protobuf.scan(source, 0, body.length);
  }
}

function decode({ type, body }: ExportRequest, onInvalidSpan: (error: DecodeError) => void): readonly Span[] {
  return type === 'application/json'
    ? decodeOtlpJson(parseJson(body), { onInvalidSpan })
    : decodeOtlpProtobuf(body, { onInvalidSpan });
}
