import { weighCalls } from '../calls/call-group.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { type Draft, hasError, type Scene } from '../rules/check.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { keyFor } from '../util/group-by.ts';
import { areMostlyJudged } from './are-mostly-judged.ts';
import { hasOtherCallers } from './list-possible-calls.ts';
import { countCalls, type UncoveredCalls, type UnjudgedCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';
import { isSameEdge, type Undecided } from './result.ts';

type Sides = Pick<ExpectedEdge, 'client' | 'server'>;

/** Calls that an expectation may speak of, and of which nothing shows whether they are whole. */
interface OpenCalls {
  readonly calls: number;
  /** Why, and what decides. */
  readonly says: string;
}

/** Expected edges of which no more calls are judged than are left open. The end of any capture cuts off a few. */
export function listMostlyUnjudged(
  scene: Scene,
  drafts: readonly Draft[],
  unjudged: readonly UnjudgedCalls[],
  uncovered: readonly UncoveredCalls[],
): readonly Undecided[] {
  return scene.expectation.edges.flatMap((edge): readonly Undecided[] => {
    const { client, server, rule } = edge;
    if (rule !== 'must' || hasError({ found: drafts }, edge)) return [];
    const open = [
      ...listUncoveredOf(uncovered, edge),
      ...listUnreceivedOf(unjudged, edge),
      ...listContinued(scene, drafts, edge),
    ];
    // Most edges end here, before their whole calls are weighed.
    if (open.length === 0) return [];
    const whole = weighCalls(scene.graph, scene.groupsBetween(client, server));
    const calls = open.reduce((sum, one) => sum + one.calls, whole);
    if (whole === 0 || areMostlyJudged(whole, calls, scene.thresholds)) return [];
    const says = `${whole} of ${countOf(calls, 'call')} judged: ${open.map((one) => one.says).join('; ')}`;
    return [{ client, server, says }];
  });
}

function listUncoveredOf(uncovered: readonly UncoveredCalls[], edge: Sides): readonly OpenCalls[] {
  return uncovered
    .filter((one) => isSameEdge(one, edge))
    .map(({ server, peer, calls }) => ({
      calls,
      says:
        `${server} delivered no span from the time of ${countOf(calls, 'call')} to ${peer}: ` +
        'wait until it has exported them, or see why it does not, and check again',
    }));
}

function listUnreceivedOf(unjudged: readonly UnjudgedCalls[], edge: Sides): readonly OpenCalls[] {
  return unjudged
    .map((one) => one.edge)
    .filter((one) => one.protocol === 'messaging' && isSameEdge(one, edge))
    .map(({ server, peer, calls }) => ({
      calls,
      says:
        `no CONSUMER span of ${server} has ${countOf(calls, 'message')} to ${peer} as parent or link: see that each of its instances exports, and that its ` +
        'sampler follows the sender (OTEL_TRACES_SAMPLER=parentbased_always_on); where it skips messages on purpose, list the edge under edges: may in --expectations',
    }));
}

/** Requests as the whole calls of the edge are, which continue traces of callers without spans: those of the expected caller may be lost. */
function listContinued(scene: Scene, drafts: readonly Draft[], edge: Sides): readonly OpenCalls[] {
  const continued = drafts.flatMap(({ id, server, shown }) =>
    id === 'external-parent' && server === edge.server ? shown.flatMap((one) => one.server ?? []) : [],
  );
  if (continued.length === 0 || hasOtherCallers(scene, edge)) return [];
  const isAlike = tellAlike(scene, edge);
  const alike = continued.filter(isAlike);
  const calls = countCalls(scene, alike);
  const [first] = alike;
  if (first === undefined || alike.length < scene.thresholds.fewestUnique) return [];
  return [
    {
      calls,
      says:
        `${calls} requests of ${edge.server} continue traces of which no span of a caller is here (trace ${first.traceId}): ` +
        `see that each instance of ${edge.client} exports all spans that it samples; if another program makes them, list "outside -> ${edge.server}" under edges: may in --expectations`,
    },
  ];
}

/** Whether a request is of an endpoint that whole calls of an edge reach, and no other program's by its user agent. */
function tellAlike(scene: Scene, { client, server }: Sides): (request: Span) => boolean {
  const { graph, facts } = scene;
  const nameEndpoint = nameRows(scene);
  const called = scene.groupsBetween(client, server).flatMap(({ servers }) => [...servers]);
  const kinds = new Set(called.map((row) => keyFor(nameEndpoint(row), facts.userAgentOf(row))));
  return (request) => {
    const row = graph.rowOf(request);
    return graph.isOrphan(row) && kinds.has(keyFor(nameEndpoint(row), facts.userAgentOf(row)));
  };
}
