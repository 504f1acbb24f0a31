import type { RowSource } from '../calls/row-facts.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { kindNumber, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { finding, pairWithEntries, reportOneSided } from './context-lost-in-process.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

/** Spans of one name that began traces and call no other service. */
interface DetachedWork {
  readonly roots: readonly [Span, ...Span[]];
  /** Requests without such a span, each with one that began a trace meanwhile. */
  readonly pairs: readonly Pair[];
}

/**
 * Work of a request or a message that calls no other service (a handler, a template, a database query) and began a trace of its own.
 * Healthy jobs look the same, so (nearly) all requests of a route must have one with the same name.
 */
export const contextLostBeforeWork = rule<DetachedWork>({
  finding,
  measure: (scene) => {
    const { graph, facts, services, thresholds } = scene;
    const { kinds } = graph.store;
    if (!facts.maySome(mayBeWork)) return [];
    const isWork = (row: number): boolean =>
      kinds[row] === kindNumber.internal || (kinds[row] === kindNumber.client && !isCall(scene, row));
    const roots = graph.select(
      (row) =>
        isWork(row) &&
        graph.isRoot(row) &&
        !graph.mayBeLinked(row) &&
        services.hasEntries(graph.serviceOf(row)),
    );
    const calling = listCalling(scene, roots);
    const ofNames = groupBy(
      roots.filter((root) => !calling.has(graph.rowOf(root))),
      ({ serviceName, scopeName, kind, name }) => keyFor(serviceName, scopeName, kind, name),
    ).filter(({ length }) => length >= thresholds.fewestDisplaced);
    const names = new Set(ofNames.map(([{ name }]) => name));
    const workOf = remember((service: string | null) =>
      mapBy(
        scene.selectSpans(service, (row) => isWork(row) && names.has(facts.nameOf(row))),
        ({ name }) => name,
      ),
    );
    return ofNames.map((ofName) => {
      const [{ serviceName, name }] = ofName;
      const alike = workOf(serviceName).get(name) ?? [];
      return { roots: ofName, pairs: pairWithEntries(scene, serviceName, alike, ofName) };
    });
  },
  gates: [
    gate(
      'nearly all requests of a route lack the span and have one that began a trace, several times',
      ({ pairs }, { thresholds }) => pairs.length >= thresholds.fewestDisplaced,
      ({ roots, pairs }) =>
        `${countOf(pairs.length, 'request')}, ${countOf(roots.length, 'root')} "${roots[0].name}"`,
    ),
  ],
  report: ({ roots: [{ serviceName }], pairs }, scene) =>
    reportOneSided(scene, { client: serviceName, server: serviceName, protocol: 'internal' }, pairs),
});

/** Whether a span may be work, by its own attributes alone. Whether it is a call depends on its children too. */
function mayBeWork({ kind, protocol }: RowSource): boolean {
  return kind === 'INTERNAL' || (kind === 'CLIENT' && !['http', 'rpc', 'mcp'].includes(protocol));
}

/** The topmost spans of each service that contain a call to another service. */
function listCalling(scene: Scene, roots: readonly Span[]): ReadonlySet<number> {
  const { graph } = scene;
  const calling = new Set<number>();
  if (roots.length === 0) return calling;
  for (let row = 0; row < graph.store.size; row += 1)
    if (graph.has(row) && isCall(scene, row)) calling.add(graph.topInService(row));
  return calling;
}

/** Some CLIENT spans have no attributes, and only their child shows that they are calls. */
function isCall({ graph, facts }: Scene, row: number): boolean {
  return facts.isOutgoing(row) || (graph.store.kinds[row] === kindNumber.client && graph.hasChild(row));
}
