import type { SpanWriter } from '../span/span-writer.ts';

/** Fields that follow from the bytes between the parts of a span: all spans of one layout share them. */
export interface SpanConstants {
  readonly flags: number;
  readonly kind: number;
  readonly status: number;
  readonly shape: number;
}

/** Reads the constants of the last row. */
export function readConstants({ columns, rows }: SpanWriter): SpanConstants {
  const row = rows - 1;
  return {
    flags: columns.flags[row] ?? 0,
    kind: columns.kinds[row] ?? 0,
    status: columns.statuses[row] ?? 0,
    shape: columns.shapes[row] ?? 0,
  };
}

/** Sets the constants of the row that is being written, and commits it. */
export function commitWith(writer: SpanWriter, { flags, kind, status, shape }: SpanConstants): void {
  const { columns, rows } = writer;
  columns.flags[rows] = flags;
  columns.kinds[rows] = kind;
  columns.statuses[rows] = status;
  writer.commitAs(shape);
}
