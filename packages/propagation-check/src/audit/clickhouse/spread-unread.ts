import { keyFor } from '../../util/group-by.ts';
import type { Counted } from './choose-traces.ts';
import { callerOf, isOfTraces, item } from './trace-sql.ts';

/** A span that was read, and the item as which it was counted. */
export interface Member {
  readonly row: number;
  readonly item: number;
  readonly key: string;
}

export interface Unread {
  /** How many unread spans each row stands for. */
  readonly ofRows: Uint32Array<ArrayBuffer>;
  /** Calls and loose ends of a kind of which no span was read. */
  readonly unseen: number;
}

/** Spreads the spans that were counted but not read evenly over the spans of their kind that were read. */
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
  for (const [{ item: of, key }, found] of addUnlike(counted, rowsOf)) {
    const rows = rowsOf.get(keyFor(of, key)) ?? [];
    if (rows.length === 0 && isCountedAlone.has(of)) unseen += found;
    spread(ofRows, rows, found);
    if (of === item.plainCall) spread(ofRows, rowsOf.get(keyFor(of + callerOf, key)) ?? [], found);
  }
  return { ofRows, unseen };
}

/** Items that count as unseen where none was read. A root is neither a call nor a loose end. */
const isCountedAlone: ReadonlySet<number> = new Set([item.plainCall, item.call, item.open, item.orphan]);

/** How often each kind was found. Calls beside a loose end count as calls of plain traces where none of their own kind was read. */
function addUnlike(
  counted: readonly Counted[],
  rowsOf: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<Counted, number> {
  const kinds = counted.filter(({ item: of }) => !isOfTraces.has(of));
  const found = new Map(kinds.map((kind) => [kind, kind.found]));
  const plain = new Map(
    kinds.filter(({ item: of }) => of === item.plainCall).map((kind) => [kind.key, kind]),
  );
  for (const kind of kinds) {
    const like = plain.get(kind.key);
    if (kind.item !== item.call || like === undefined || rowsOf.has(keyFor(item.call, kind.key))) continue;
    found.set(like, (found.get(like) ?? 0) + kind.found);
    found.delete(kind);
  }
  return found;
}

function spread(ofRows: Uint32Array, rows: readonly number[], found: number): void {
  const unread = Math.max(0, found - rows.length);
  for (const [at, row] of rows.toSorted((left, right) => left - right).entries()) {
    const share = Math.floor((unread * (at + 1)) / rows.length) - Math.floor((unread * at) / rows.length);
    // A span may have several shares: as a called span, and as the caller of another.
    ofRows[row] = Math.max(ofRows[row] ?? 0, share);
  }
}
