import type { HeaderField } from '../headers/evidence.ts';
import { decodeGrpcTraceBin } from '../headers/read-wire-context.ts';

/** Changes a well-formed value and leaves any other as it is. */
type Edit = (value: string) => string;
type Edits = Readonly<Record<string, Edit>>;

/** The header with another span id, in any format. */
export function replaceSpanId(field: HeaderField, spanId: string): HeaderField {
  return edit(field, {
    traceparent: (value) => value.replace(/(?<=^[0-9a-f]{2}-[0-9a-f]{32}-)[0-9a-f]{16}/, spanId),
    b3: (value) => value.replace(/(?<=^[0-9a-f]{16,32}-)[0-9a-f]{16}/i, spanId),
    'x-b3-spanid': () => spanId,
    'uber-trace-id': (value) => value.replace(/(?<=^[0-9a-f]{1,32}(?::|%3a))[0-9a-f]{1,16}/i, spanId),
    'x-amzn-trace-id': (value) => value.replace(/(?<=Parent=)[0-9a-f]{16}/i, spanId),
    'grpc-trace-bin': (value) => editBytes(value, (bytes) => bytes.write(spanId, 19, 'hex')),
  });
}

/** The header with the sampled flag 0, in any format. */
export function clearSampled(field: HeaderField): HeaderField {
  return edit(field, {
    traceparent: (value) =>
      value.replace(/(?<=^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-)[0-9a-f]{2}/, (flags) =>
        (Number.parseInt(flags, 16) & ~1).toString(16).padStart(2, '0'),
      ),
    b3: (value) =>
      /^[01d]$/.test(value) ? '0' : value.replace(/^([0-9a-f]{16,32}-[0-9a-f]{16})(?:-[01d])?/i, '$1-0'),
    'x-b3-sampled': () => '0',
    'x-b3-flags': () => '0',
    'uber-trace-id': (value) =>
      value.replace(/[0-9a-f]{1,2}$/i, (flags) => (Number.parseInt(flags, 16) & ~3).toString(16)),
    'x-amzn-trace-id': (value) =>
      /Sampled=/i.test(value) ? value.replace(/(?<=Sampled=)[^;]*/i, '0') : `${value};Sampled=0`,
    'grpc-trace-bin': (value) => editBytes(value, (bytes) => bytes.writeUInt8((bytes[28] ?? 0) & ~1, 28)),
  });
}

/**
 * The header with only the last 64 bits of its trace id: shorter where the format permits it, otherwise padded with zeros
 * (W3C Trace Context, "Interoperating with existing systems which use shorter identifiers"). X-Ray has no short form.
 */
export function truncateTraceId(field: HeaderField): HeaderField {
  return edit(field, {
    traceparent: (value) => value.replace(/(?<=^[0-9a-f]{2}-)[0-9a-f]{16}(?=[0-9a-f]{16}-)/, '0'.repeat(16)),
    b3: (value) => value.replace(/^[0-9a-f]{16}(?=[0-9a-f]{16}-)/i, ''),
    'x-b3-traceid': (value) => value.slice(-16),
    'uber-trace-id': (value) => value.replace(/^[0-9a-f]{1,16}(?=[0-9a-f]{16}(?::|%3a))/i, ''),
    'grpc-trace-bin': (value) => editBytes(value, (bytes) => bytes.fill(0, 2, 10)),
  });
}

function edit(field: HeaderField, edits: Edits): HeaderField {
  const name = field.name.toLowerCase();
  const change = Object.hasOwn(edits, name) ? edits[name] : undefined;
  return change === undefined ? field : { ...field, value: change(field.value) };
}

function editBytes(value: string, change: (bytes: Buffer) => unknown): string {
  const bytes = decodeGrpcTraceBin(value);
  if (bytes === null) return value;
  change(bytes);
  return bytes.toString('base64').replace(/=+$/, '');
}
