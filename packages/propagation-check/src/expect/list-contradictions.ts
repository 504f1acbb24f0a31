import { keyFor, mapBy } from '../util/group-by.ts';
import { readableShape } from './read-expectation-shape.ts';
import { readExpectedPath } from './read-expected-path.ts';
import type { Fault, Path, Place } from './read-yaml.ts';

type Rule = 'must' | 'may' | 'must-not';

/** The rules that contradict each rule: an edge that must exist cannot also be optional. */
const contradicted = { may: ['must'], 'must-not': ['must', 'may'] } as const satisfies Partial<
  Record<Rule, readonly Rule[]>
>;

/** Edges that a document names under two rules, even if it has other faults. @param above The path of the document in its file. */
export function listContradictions(
  document: unknown,
  placeOf: (path: Path) => Place,
  above: Path = [],
): readonly Fault[] {
  const { edges } = readableShape.parse(document);
  const listEdges = (rule: Rule) =>
    edges[rule].flatMap((item, at) =>
      (typeof item === 'string' ? readExpectedPath(item) : item === null ? [] : [item]).map(
        ({ client, server }) => ({ client, server, rule, path: [...above, 'edges', rule, at] }),
      ),
    );
  return (['may', 'must-not'] as const).flatMap((rule) => {
    const others = mapBy(contradicted[rule].flatMap(listEdges), ({ client, server }) =>
      keyFor(client, server),
    );
    return listEdges(rule).flatMap(({ client, server, path }) => {
      const [other] = others.get(keyFor(client, server)) ?? [];
      if (other === undefined) return [];
      const { line } = placeOf(other.path);
      const text = `${path.map(String).join('.')}: ${client} -> ${server} is also under ${other.rule}, in line ${line}; name it once`;
      return [{ path, place: placeOf(path), text }];
    });
  });
}
