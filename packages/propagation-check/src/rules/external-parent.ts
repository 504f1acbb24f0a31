import { isEntry } from '../calls/edge.ts';
import { isCallerMissing, isOrphan, type TraceGraph } from '../graph/trace-graph.ts';
import { ownParentId } from '../span/own-request.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { protocolOf, type Shown } from './draft.ts';
import { gate, rule } from './rule.ts';

export const finding = defineFinding('external-parent', {
  kind: 'information',
  isConclusive: false,
  shows: 'an entry span continues a trace outside the data, or links to one',
  title: 'A caller outside the data brought its own trace',
  why: 'An entry span continues, or only links to, a trace of a caller whose spans are not here.',
  fix: 'Nothing, if the caller is not yours; otherwise collect its spans too.',
});

type Entry = Shown & { readonly server: Span };

/**
 * Entry spans that continue a trace from outside the data, and SERVER spans that began their own trace with a link to it because they do
 * not trust the caller. Healthy, and good to know.
 */
export const externalParents = rule<Group<Entry>>({
  finding,
  measure: ({ graph }, open) => {
    const continued = open.orphans.filter(isEntry).map((server) => ({
      client: null,
      server,
      says: `continues the trace of its caller, whose spans are not here (parent ${server.parentSpanId})`,
    }));
    const entries = [...continued, ...showRestarted(graph)];
    return groupBy(entries, ({ server }) => keyFor(server.serviceName, String(isParentLocal(graph, server))));
  },
  gates: [
    gate(
      'the missing parent is of another process',
      ([{ server }], { graph }) => !isParentLocal(graph, server),
      (entries) => `of its own process, by the flags of ${countOf(entries.length, 'span')}`,
    ),
  ],
  looseEnds: (entries) => entries.map(({ server }) => server),
  report: (entries) => {
    const [{ server }] = entries;
    return finding.report({
      client: null,
      server: server.serviceName,
      protocol: protocolOf(server),
      shown: entries,
    });
  },
});

function isParentLocal(graph: TraceGraph, server: Span): boolean {
  return isOrphan(graph, server) && !isCallerMissing(graph, server);
}

/** A link into a trace that has spans here does not lead outside, even if its target is missing. */
function showRestarted(graph: TraceGraph): readonly Entry[] {
  const linking = [...graph.rowsWithLinks()].filter((row) => graph.has(row) && graph.isRoot(row));
  return graph
    .viewsOf(linking)
    .filter((span) => span.kind === 'SERVER')
    .flatMap((server) => {
      const caller = server.links.find(
        ({ traceId, spanId }) => !graph.hasTrace(traceId) && spanId !== ownParentId,
      );
      if (caller === undefined) return [];
      const says = `links to its caller, whose spans are not here, and began a trace of its own (trace ${caller.traceId})`;
      return [{ client: null, server, says }];
    });
}
