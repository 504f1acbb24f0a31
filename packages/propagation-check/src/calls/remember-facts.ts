import { isRaw } from '../span/value-table.ts';
import type { CallFacts, FactSource } from './call-facts.ts';

/** Fields of a row beside its attributes, which are known by the ids of their names. */
export const ownField = { kind: -1, status: -2, name: -3, protocol: -4, none: -5 } as const;

/** What facts of a row are read from. */
export interface RowSource extends FactSource {
  readonly protocol: CallFacts['protocol'];
}

/** Is told of every field that is read, and of its id; the field is null where the name of an attribute has no id. */
export type Recorder = (field: number | null, id: number) => void;

export interface IdSource {
  sourceOf(row: number, record?: Recorder): RowSource;
  /** `absent` where the row has no such attribute. */
  idOf(row: number, field: number): number;
}

/** No id. */
export const absent = -1;

/** Hostile data may have any number of combinations. */
const mostSteps = 65_536;
/** A reader that met so many values that are not interned will meet more. */
const mostStrays = 1_024;

/** The field that is read next, by what was read before. */
interface Step<T> {
  field: number;
  readonly next: Map<number, Step<T>>;
  /** Where nothing more is read. */
  end: { readonly result: T } | null;
}

/**
 * Works a fact of rows out once for all that have equal values in the fields that it reads, by following the way that the reader
 * took through these values. A value that is not interned may be another one each time: then the fact is read anew.
 * @param read Depends on its argument alone.
 */
export function rememberFacts<T>(ids: IdSource, read: (source: RowSource) => T): (row: number) => T {
  const first = makeStep<T>();
  let steps = 0;
  let strays = 0;
  const learn = (row: number): T => {
    if (strays > mostStrays || steps > mostSteps) return read(ids.sourceOf(row));
    const way: { readonly field: number; readonly id: number }[] = [];
    let isStray = false;
    const result = read(
      ids.sourceOf(row, (field, id) => {
        if (field === null || (id !== absent && isRaw(id))) isStray = true;
        else way.push({ field, id });
      }),
    );
    if (isStray) {
      strays += 1;
      return result;
    }
    let step = first;
    for (const { field, id } of way) {
      step.field = field;
      const next = step.next.get(id) ?? makeStep<T>();
      step.next.set(id, next);
      step = next;
    }
    step.end = { result };
    steps += way.length;
    return result;
  };
  return (row) => {
    let step = first;
    while (step.end === null) {
      const next = step.next.get(ids.idOf(row, step.field));
      if (next === undefined) return learn(row);
      step = next;
    }
    return step.end.result;
  };
}

function makeStep<T>(): Step<T> {
  return { field: ownField.none, next: new Map(), end: null };
}
