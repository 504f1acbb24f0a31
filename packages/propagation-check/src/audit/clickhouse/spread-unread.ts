import { keyFor } from '../../util/group-by.ts';
import type { Counted } from './choose-traces.ts';
import { item } from './trace-sql.ts';

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
    const unread = Math.max(0, found - rows.length);
    if (rows.length === 0 && (of === item.open || of === item.orphan)) unseen += unread;
    for (const [at, row] of rows.sort((left, right) => left - right).entries()) {
      const share = Math.floor((unread * (at + 1)) / rows.length) - Math.floor((unread * at) / rows.length);
      // A span whose parent is missing may be the caller of another that is missing too.
      ofRows[row] = Math.max(ofRows[row] ?? 0, share);
    }
  }
  return { ofRows, unseen };
}
