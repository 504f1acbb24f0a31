import { keyFor } from '../../util/group-by.ts';
import type { Counted } from './choose-traces.ts';
import { callerOf, item } from './trace-sql.ts';

/** What a span that was read is one of. */
export interface Member {
  readonly row: number;
  readonly item: number;
  readonly key: string;
}

export interface Unread {
  /** By row. */
  readonly ofRows: Uint32Array<ArrayBuffer>;
  /** Loose ends of kinds of which none was read. */
  readonly unseen: number;
}

/** Spreads those that were counted and not read evenly over those of their kind that were read. */
export function spreadUnread(counted: readonly Counted[], members: readonly Member[], size: number): Unread {
  const rowsOf = new Map<string, number[]>();
  for (const member of members) {
    const key = keyFor(member.item, member.key);
    const rows = rowsOf.get(key) ?? [];
    rows.push(member.row);
    rowsOf.set(key, rows);
  }
  const ofRows = new Uint32Array(size);
  let unseen = 0;
  for (const { item: of, key, found } of counted) {
    if (of === item.plainTrace || of === item.trace) continue;
    const rows = rowsOf.get(keyFor(of, key)) ?? [];
    if (rows.length === 0 && (of === item.open || of === item.orphan)) unseen += found;
    spread(ofRows, rows, found);
    if (of === item.plainCall) spread(ofRows, rowsOf.get(keyFor(of + callerOf, key)) ?? [], found);
  }
  return { ofRows, unseen };
}

function spread(ofRows: Uint32Array, rows: readonly number[], found: number): void {
  const unread = Math.max(0, found - rows.length);
  for (const [at, row] of rows.toSorted((left, right) => left - right).entries()) {
    const share = Math.floor((unread * (at + 1)) / rows.length) - Math.floor((unread * at) / rows.length);
    // One span may be several: a call, and the caller of another.
    ofRows[row] = Math.max(ofRows[row] ?? 0, share);
  }
}
