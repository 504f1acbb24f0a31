import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TraceGraph } from '../../src/graph/trace-graph.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { drawTrace } from '../draw-trace.ts';

const few = 50;
const many = 4 * few;

/** Whole calls of three shapes: within their requests, longer than these, and by requests that end with the call of another. */
const shapes = {
  within: ['0..30', '5..25', '6..24'],
  outliving: ['0..30', '5..45', '6..44'],
} as const;

/** Requests of both services to one endpoint; only those of `web` call the other service. */
function draw(count: number, [request, client, server]: (typeof shapes)[keyof typeof shapes]): string {
  const pause = 50;
  const later = (times: string, at: number): string =>
    times
      .split('..')
      .map((time) => Number(time) + at * pause)
      .join('..');
  return Array.from({ length: count }, (_, at) => {
    const id = (kind: string): string => `${kind}${at.toString(16).padStart(4, '0')}`;
    return [
      `trace ${id('a')}`,
      `SERVER web GET /page  ${id('1')}  ${later(request, at)} http.route=/page url.path=/page`,
      `  CLIENT web GET  ${id('2')}  ${later(client, at)} url.full=http://stock/page server.address=stock`,
      `    SERVER stock GET /page  ${id('3')}  ${later(server, at)} http.route=/page url.path=/page`,
      `trace ${id('b')}`,
      `SERVER web GET /page  ${id('4')}  ${later('20..44', at)} http.route=/page url.path=/page`,
      '',
    ].join('\n');
  }).join('');
}

function countViews({ mock }: TestContext, drawing: string): number {
  const view = mock.method(TraceGraph.prototype, 'view');
  assert.equal(checkTraces(drawTrace(drawing)).verdict, 'intact');
  const { length } = new Set(view.mock.calls.map(({ arguments: [row] }) => row)).keys().toArray();
  view.mock.restore();
  return length;
}

for (const [name, shape] of Object.entries(shapes))
  test(`a check of whole calls makes as few views of many requests as of few: ${name}`, (context) => {
    assert.equal(countViews(context, draw(many, shape)), countViews(context, draw(few, shape)));
  });
