import type { Expectation } from './expectation.ts';
import { listContradictions } from './list-contradictions.ts';
import { type ExpectationDocument, expectationShape } from './read-expectation-shape.ts';
import { ExpectationError, readExpectedPath } from './read-expected-path.ts';
import { listFaults, readYaml } from './read-yaml.ts';

/**
 * Reads an expectations file: YAML 1.2, or JSON, as `expectation.schema.json` describes it.
 * @throws {ExpectationError} with line and column of each fault, also for unknown and repeated keys, and edges under two rules.
 */
export function readExpectation(text: string): Expectation {
  const { value, written, faults, placeOf } = readYaml(text, expectationShape);
  const all = [...faults, ...listContradictions(written, placeOf)];
  if (value === null || all.length > 0) throw new ExpectationError(listFaults(all).join('; '));
  return toExpectation(value);
}

const rules = ['must', 'may', 'must-not'] as const;

export function toExpectation(document: ExpectationDocument): Expectation {
  return {
    edges: rules.flatMap((rule) =>
      (document.edges?.[rule] ?? []).flatMap((item) => {
        const edges = typeof item === 'string' ? readExpectedPath(item) : [item];
        return edges.map(({ client, server }) => ({ client, server, rule }));
      }),
    ),
    baggage: document.baggage ?? {},
    toleratedPeers: document['tolerated-peers'] ?? [],
    traceresponse: document.traceresponse ?? [],
  };
}
