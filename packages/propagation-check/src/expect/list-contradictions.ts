import { keyFor, mapBy } from '../util/group-by.ts';
import type { ExpectationDocument } from './read-expectation-shape.ts';
import { readExpectedPath } from './read-expected-path.ts';
import type { Fault, Path, Place } from './read-yaml.ts';

const allowing = ['must', 'may'] as const;

/** Edges that a document both forbids and names under `must` or `may`. @param above The path of the document in its file. */
export function listContradictions(
  { edges = {} }: ExpectationDocument,
  placeOf: (path: Path) => Place,
  above: Path = [],
): readonly Fault[] {
  const listEdges = (rule: 'must' | 'may' | 'must-not') =>
    (edges[rule] ?? []).flatMap((item, at) =>
      (typeof item === 'string' ? readExpectedPath(item) : [item]).map(({ client, server }) => ({
        ...{ client, server, rule, path: [...above, 'edges', rule, at] },
      })),
    );
  const allowed = mapBy(allowing.flatMap(listEdges), ({ client, server }) => keyFor(client, server));
  return listEdges('must-not').flatMap(({ client, server, path }) => {
    const [other] = allowed.get(keyFor(client, server)) ?? [];
    if (other === undefined) return [];
    const { line } = placeOf(other.path);
    const text = `${path.map(String).join('.')}: ${client} -> ${server} is also under ${other.rule}, in line ${line}; name it once`;
    return [{ path, place: placeOf(path), text }];
  });
}
