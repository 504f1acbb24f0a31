import dagre from '@dagrejs/dagre';
import { nameCall } from '../../calls/name-call.ts';
import { countOf } from '../../util/count-of.ts';
import type { EdgeResult, Result } from '../../verdict/result.ts';
import { truncate } from '../layout.ts';
import { describeCallsJudged, isPast, labelService, type Mark, rankEdges } from '../terminal-edges.ts';
import { html, type Markup } from './markup.ts';

/** A drawing of more edges is unreadable; the table beside it has all of them. */
const mostEdges = 80;

const box = { height: 34, characterWidth: 7.6, padding: 20, longestName: 32 } as const;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Draws services as boxes and edges as arrows with the rate of intact calls. Where there are too many edges, broken ones are drawn first. */
export function drawServiceGraph(result: Result): Markup {
  const shown = rankEdges(result).slice(0, mostEdges);
  if (shown.length === 0) return html``;

  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 96, marginx: 8, marginy: 20 });
  // dagre does not accept an empty id.
  const idOf = (service: string | null): string => (service === null ? 'unknown' : `s${service}`);
  const widthOf = (text: string): number => text.length * box.characterWidth + box.padding;
  for (const { edge } of shown) {
    for (const service of [edge.client, edge.server]) {
      const name = truncate(labelService(service), box.longestName);
      graph.setNode(idOf(service), { name, width: widthOf(name), height: box.height });
    }
    graph.setEdge(
      idOf(edge.client),
      idOf(edge.server),
      { width: widthOf(rateOf(edge)), height: 16, labelpos: 'c' },
      edge.protocol,
    );
  }
  dagre.layout(graph);

  const { width = 0, height = 0 } = graph.graph();
  const arrows = shown.map(({ edge, mark }) => {
    const { points, x, y } = graph.edge(idOf(edge.client), idOf(edge.server), edge.protocol);
    return drawArrow(edge, mark, points, { x, y });
  });
  const boxes = graph.nodes().map((id: string) => {
    const { x, y, width, name } = graph.node(id);
    return html`<g><rect x="${x - width / 2}" y="${y - box.height / 2}" width="${width}" height="${box.height}" rx="6"/><text x="${x}" y="${y + 5}">${String(name)}</text></g>`;
  });
  const more = result.edges.length - shown.length;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Service graph">
<svg class="graph" role="img" aria-label="Services and their calls; the table below says the same" width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}">
<defs>${(['fine', 'warning', 'error', 'accepted'] as const satisfies readonly Mark[]).map(
    (mark) =>
      html`<marker id="head-${mark}" class="${mark}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>`,
  )}</defs>
${arrows}${boxes}</svg></div>${more > 0 ? html`<p>${countOf(more, 'more edge')} in the table.</p>` : null}`;
}

function drawArrow(edge: EdgeResult, mark: Mark, points: readonly Point[], label: Point): Markup {
  const line = points
    .map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join('');
  return html`<g class="${mark}"><path d="${line}" marker-end="url(#head-${mark})"/><text x="${label.x.toFixed(1)}" y="${(label.y - 6).toFixed(1)}">${rateOf(edge)}</text></g>`;
}

/** The rate of intact calls, or why there is none. */
export function rateOf(edge: EdgeResult): string {
  const { calls, broken, unjudged = 0, doubtful = 0, known, tolerated, past } = edge;
  if (tolerated === true) return 'tolerated';
  if (known === true) return 'known';
  if (calls === 0) return unjudged > 0 ? describeCallsJudged(edge, nameCall(edge)) : 'never seen';
  if (past !== undefined && isPast(edge)) return `past ${labelService(past.service)}`;
  const sure = calls - doubtful;
  if (sure === 0) return `${doubtful} doubtful`;
  // Rounded down: 100 % means that no call is broken.
  const rate = `${Math.floor(((sure - broken) / sure) * 100)} %${doubtful > 0 ? `, ${doubtful} doubtful` : ''}`;
  return unjudged > 0 ? `${rate}, ${describeCallsJudged(edge, nameCall(edge))}` : rate;
}
