import type { Span } from '../span/span.ts';
import { type SpanStore, traceIdAt, viewOf } from '../span/span-store.ts';
import type { Result } from '../verdict/result.ts';

/**
 * Whole traces for a report that draws them, at most `most` spans: those that findings name first, then the others in the order
 * in which they came.
 */
export function pickSpans(store: SpanStore, { findings }: Result, most: number): readonly Span[] {
  const named = new Set(
    findings.flatMap(({ evidence }) =>
      evidence.flatMap(({ traceId, server, during }) => [
        traceId,
        ...[server, during].flatMap((side) => side?.traceId ?? []),
      ]),
    ),
  );
  const rowsOf = new Map<string, number[]>();
  for (let row = 0; row < store.size; row += 1) {
    const id = traceIdAt(store, row);
    const rows = rowsOf.get(id);
    if (rows === undefined) rowsOf.set(id, [row]);
    else rows.push(row);
  }
  const ids = [...rowsOf.keys()];
  const picked: number[] = [];
  for (const id of [...ids.filter((one) => named.has(one)), ...ids.filter((one) => !named.has(one))]) {
    const rows = rowsOf.get(id) ?? [];
    if (picked.length + rows.length <= most) picked.push(...rows);
  }
  return picked.map((row) => viewOf(store, row));
}
