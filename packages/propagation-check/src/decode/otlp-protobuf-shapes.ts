import { type Shape, wire } from './protobuf-bytes.ts';

/** Tags of fields: number * 8 + wire type. Source: opentelemetry-proto 1.9, `trace.proto` and `common.proto`. */
export const tags = {
  request: { resourceSpans: 1 * 8 + wire.bytes },
  resourceSpans: {
    resource: 1 * 8 + wire.bytes,
    scopeSpans: 2 * 8 + wire.bytes,
    schemaUrl: 3 * 8 + wire.bytes,
  },
  scopeSpans: { scope: 1 * 8 + wire.bytes, spans: 2 * 8 + wire.bytes, schemaUrl: 3 * 8 + wire.bytes },
  keyValue: { key: 1 * 8 + wire.bytes, value: 2 * 8 + wire.bytes },
  anyValue: { text: 1 * 8 + wire.bytes, integer: 3 * 8 + wire.varint },
  status: { message: 2 * 8 + wire.bytes, code: 3 * 8 + wire.varint },
} as const;

export const anyValue = new Map<number, 'text' | 'varint' | 'fixed64' | 'bytes' | Shape>([
  [1, 'text'],
  [2, 'varint'],
  [3, 'varint'],
  [4, 'fixed64'],
  [7, 'bytes'],
]);
export const keyValue: Shape = new Map<number, 'text' | Shape>([
  [1, 'text'],
  [2, anyValue],
]);
anyValue.set(5, new Map([[1, anyValue]]));
anyValue.set(6, new Map([[1, keyValue]]));
export const event: Shape = new Map<number, 'text' | 'varint' | 'fixed64' | Shape>([
  [1, 'fixed64'],
  [2, 'text'],
  [3, keyValue],
  [4, 'varint'],
]);
export const link: Shape = new Map<number, 'text' | 'bytes' | 'varint' | 'fixed32' | Shape>([
  [1, 'bytes'],
  [2, 'bytes'],
  [3, 'text'],
  [4, keyValue],
  [5, 'varint'],
  [6, 'fixed32'],
]);
export const statusShape: Shape = new Map<number, 'text' | 'varint'>([
  [2, 'text'],
  [3, 'varint'],
]);
