import type { Span } from '../span/span.ts';
import { parentIdOf, type SpanStore, spanIdOf, traceIdAt, viewOf } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import type { Finding, Result } from '../verdict/result.ts';

/**
 * Picks at most `most` spans for a report that draws traces: first the traces in the evidence of findings, then others. Traces are whole,
 * except for those in evidence that are too large: of these the part around the evidence is picked.
 */
export function pickSpans(store: SpanStore, { findings }: Result, most: number): readonly Span[] {
  const named = new Set(findings.flatMap(listEnds).map(({ traceId }) => traceId));
  const counts = countRows(store, named, most);
  const whole = new Set<string>();
  let left = most;
  const takeWhole = (ids: readonly string[]) => {
    for (const id of ids) {
      const count = counts.get(id) ?? 0;
      if (count > left) continue;
      whole.add(id);
      left -= count;
    }
  };
  takeWhole([...named]);
  const cut = [...named].filter((id) => !whole.has(id));
  if (cut.length === 0) takeWhole([...counts.keys()].filter((id) => !named.has(id)));
  const rowsOf = new Map(cut.map((id) => [id, [] as number[]]));
  const picked: number[] = [];
  for (let row = 0; row < store.size; row += 1) {
    const id = traceIdAt(store, row);
    if (whole.has(id)) picked.push(row);
    else rowsOf.get(id)?.push(row);
  }
  const ends = new Set(findings.flatMap(listEnds).map(({ traceId, spanId }) => keyFor(traceId, spanId)));
  const parts = [...rowsOf].flatMap(([id, rows]) =>
    pickPart(store, rows, (spanId) => ends.has(keyFor(id, spanId)), Math.floor(left / rowsOf.size)),
  );
  return [...picked, ...parts].map((row) => viewOf(store, row));
}

function listEnds({ evidence }: Finding): readonly { readonly traceId: string; readonly spanId: string }[] {
  return evidence.flatMap(({ server, during, ...client }) =>
    [client, server, during].filter((end) => end !== undefined),
  );
}

/** Counts the rows of the named traces, and of at most `mostTraces` others: a capture may hold millions of traces. */
function countRows(
  store: SpanStore,
  named: ReadonlySet<string>,
  mostTraces: number,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let others = 0;
  for (let row = 0; row < store.size; row += 1) {
    const id = traceIdAt(store, row);
    const count = counts.get(id);
    if (count !== undefined) counts.set(id, count + 1);
    else if (named.has(id) || others < mostTraces) {
      counts.set(id, 1);
      if (!named.has(id)) others += 1;
    }
  }
  return counts;
}

/** The spans of a large trace that begin nearest to those in evidence, each with its ancestors. */
function pickPart(
  store: SpanStore,
  rows: readonly number[],
  isEnd: (spanId: string) => boolean,
  most: number,
): readonly number[] {
  const rowOf = new Map(rows.map((row) => [spanIdOf(store, row), row]));
  const starts = rows.filter((row) => isEnd(spanIdOf(store, row))).map((row) => store.starts[row] ?? 0);
  const distanceOf = (row: number) => {
    const start = store.starts[row] ?? 0;
    return Math.min(...starts.map((at) => Math.abs(start - at)));
  };
  const byDistance = rows
    .map((row) => ({ row, distance: distanceOf(row) }))
    .sort((left, right) => left.distance - right.distance);
  const picked = new Set<number>();
  for (const { row } of byDistance) {
    const path = new Set<number>();
    for (let at: number | undefined = row; at !== undefined && !picked.has(at) && !path.has(at); ) {
      path.add(at);
      at = rowOf.get(parentIdOf(store, at) ?? '');
    }
    if (picked.size + path.size <= most) for (const each of path) picked.add(each);
    else if (picked.size >= most) break;
  }
  return [...picked];
}
