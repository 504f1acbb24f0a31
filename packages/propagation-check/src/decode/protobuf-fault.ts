import { isUtf8 } from 'node:buffer';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { deepestValue } from './attribute-value.ts';
import { DecodeError } from './decode-error.ts';

/**
 * Finds where bytes stop being a message: the byte offset, and the path of the innermost field that could be read.
 * @param cause The error of the generated decoder, which has no position.
 */
export function findProtobufFault(schema: DescMessage, bytes: Uint8Array, cause: unknown): DecodeError {
  const fault = walkMessage(schema, bytes, 0, '', 0);
  const reason = cause instanceof Error ? describe(cause) : 'not readable';
  if (fault === null) return new DecodeError(`byte 0: not an OTLP protobuf message: ${reason}`);
  const inside = fault.path === '' ? '' : `, in ${fault.path}`;
  return new DecodeError(`byte ${fault.offset}${inside}: not an OTLP protobuf message: ${reason}`);
}

function describe(cause: Error): string {
  if (cause.message === 'premature EOF') return 'a field reaches beyond the end, as if the data was cut off';
  return cause.message;
}

interface Fault {
  readonly offset: number;
  readonly path: string;
}

function walkMessage(
  schema: DescMessage,
  bytes: Uint8Array,
  base: number,
  path: string,
  depth: number,
): Fault | null {
  if (depth > deepestValue) return { offset: base, path };
  const reader = new BinaryReader(bytes);
  const seen = new Map<number, number>();
  while (reader.pos < reader.len) {
    const start = reader.pos;
    try {
      const [number, wireType] = reader.tag();
      const field = schema.fields.find((candidate) => candidate.number === number);
      const message = field === undefined ? undefined : messageOf(field);
      const index = seen.get(number) ?? 0;
      seen.set(number, index + 1);
      if (field === undefined || wireType !== WireType.LengthDelimited) {
        reader.skip(wireType, number);
        continue;
      }
      const value = reader.bytes();
      const inner = pathBelow(path, field, index);
      const at = base + reader.pos - value.length;
      if (message !== undefined) {
        const fault = walkMessage(message, value, at, inner, depth + 1);
        if (fault !== null) return fault;
      } else if (isText(field) && !isUtf8(value)) {
        return { offset: at, path: inner };
      }
    } catch {
      return { offset: base + start, path };
    }
  }
  return null;
}

function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'message' || (field.fieldKind === 'list' && field.listKind === 'message')
    ? field.message
    : undefined;
}

function pathBelow(path: string, field: DescField, index: number): string {
  const name = field.fieldKind === 'list' ? `${field.localName}[${index}]` : field.localName;
  return path === '' ? name : `${path}.${name}`;
}

function isText(field: DescField): boolean {
  return field.fieldKind === 'scalar' && field.scalar === 9;
}
