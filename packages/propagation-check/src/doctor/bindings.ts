import { mapBy } from '../util/group-by.ts';

/** A variable or parameter, and the offsets between which its name means it. */
export interface Binding {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const variable = /\b(?:const|let|var)\s+([\w$]+)/g;
const parameters =
  /(?<!\b(?:if|for|while|switch|with|catch)\s{0,9})\(([^()]*)\)\s{0,9}(?::[^={;]{1,200})?(?:=>\s{0,9}(\{)?|\{)/g;
const brackets = /[()[\]{}]/g;

/** The variables and parameters of a source, from its text. Brackets in strings count too. */
export function listBindings(text: string): readonly Binding[] {
  const found = [...text.matchAll(variable)].flatMap(({ 1: name, index }) =>
    name === undefined ? [] : [{ name, from: index, isStatement: false }],
  );
  for (const { 0: whole, 1: list = '', index } of text.matchAll(parameters))
    for (const name of list.match(/[\w$]+/g) ?? [])
      found.push({ name, from: index + whole.length, isStatement: !whole.endsWith('{') });
  const ends = endsOfBlocks(
    text,
    found.map(({ from }) => from).sort((one, other) => one - other),
  );
  return found.map(({ name, from, isStatement }) => {
    const to = ends.get(from) ?? text.length;
    const end = isStatement ? text.indexOf(';', from) : -1;
    return { name, from, to: end < 0 ? to : Math.min(end, to) };
  });
}

/** The end of the block around each offset. */
function endsOfBlocks(text: string, offsets: readonly number[]): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const open: number[][] = [];
  let inBlock: number[] = [];
  let next = 0;
  for (const { 0: bracket, index } of text.matchAll(brackets)) {
    for (let from = offsets[next]; from !== undefined && from <= index; from = offsets[next]) {
      inBlock.push(from);
      next += 1;
    }
    if (/[({[]/.test(bracket)) {
      open.push(inBlock);
      inBlock = [];
    } else {
      for (const from of inBlock) ends.set(from, index);
      inBlock = open.pop() ?? [];
    }
  }
  return ends;
}

/** Finds the innermost binding of a name at an offset. */
export function toResolver(bindings: readonly Binding[]): (name: string, at: number) => Binding | null {
  const byName = mapBy(bindings, ({ name }) => name);
  return (name, at) => {
    const around = (byName.get(name) ?? []).filter(({ from, to }) => from <= at && at < to);
    return around.reduce<Binding | null>(
      (inner, each) => (inner === null || each.from > inner.from ? each : inner),
      null,
    );
  };
}
