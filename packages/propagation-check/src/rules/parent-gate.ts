import { isRoot } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { isParentDue } from './coverage.ts';
import { type Gate, gate } from './rule.ts';

/** A missing parent is evidence only if the capture would hold its span, had it been delivered. */
export function parentGate<Case>(serversOf: (features: Case) => readonly Span[]): Gate<Case> {
  return gate(
    'a span is a root, or the capture should hold its parent',
    (features, scene) => serversOf(features).some((server) => isRoot(server) || isParentDue(scene, server)),
    (features) =>
      `${serversOf(features).length} SERVER spans have parents from a time in which no caller delivered spans`,
  );
}
