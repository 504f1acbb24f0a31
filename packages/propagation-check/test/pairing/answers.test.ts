import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findEdges } from '../../src/calls/edge.ts';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { lookUpAnswers } from '../../src/pairing/answers.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** The spans that the answers of open calls name, by the names of both; spans of other calls in brackets. */
function readAnswers(...lines: readonly string[]): readonly string[] {
  const { spans, headers } = readDrawing(`${lines.join('\n')}\n`);
  const graph = buildTraceGraph(spans);
  const { openClients } = findEdges(graph);
  const answersOf = lookUpAnswers(graph, openClients, headers, thresholds);
  return openClients.flatMap((client) =>
    answersOf(client).map(({ row, isOfAnother }) => {
      const { name } = graph.view(row);
      return `${client.name} ${isOfAnother ? `[${name}]` : name}`;
    }),
  );
}

const work = 'http.request.method=GET url.path=/work';
const named = (trace: number) => `http.response.header.traceresponse=00-<${trace}>-<named>-01`;
const call = (trace: number, times: string, answer: string, name = 'call') =>
  `trace ${trace}\n  web CLIENT "${name}" ${times} http.request.method=GET url.full=http://orders/work ${answer}`;
const root = `trace 2\n  orders SERVER "served" 20..80 ${work} id:named`;
/** A SERVER span below the call of another service, whose trace begins with the given line. */
const below = (top: string, answer = '', path = '/work') => `trace 2
  ${top}
    app CLIENT "other" 12..90 http.request.method=GET url.full=http://orders${path} ${answer}
      orders SERVER "served" 20..80 ${work} id:named`;
const page = 'app SERVER "page" 11..95 http.request.method=GET url.path=/page';
const handedOn = 'app SERVER "work" 11..95 http.request.method=GET url.path=/work';

suite('the answer of a call', () => {
  test("names the call's own SERVER span, which began while the call was open", () => {
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), root), ['call served']);
    assert.deepEqual(readAnswers(call(1, '10..90', named(1)), root), []);
    const apart = `${call(1, '110..190', named(1))}\n  orders SERVER "served" 20..80 ${work} id:named`;
    assert.deepEqual(readAnswers(apart), ['call served']);
    assert.deepEqual(readAnswers(call(1, '10..90', `${named(1)} id:named`)), []);
  });

  test("is another call's if the span began before or after", () => {
    assert.deepEqual(readAnswers(call(1, '110..190', named(2)), root), ['call [served]']);
    assert.deepEqual(readAnswers(call(1, '0..9', named(2)), root), ['call [served]']);
  });

  test("is another call's if calls of several traces have it", () => {
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), call(3, '12..92', named(2), 'next'), root), [
      'call [served]',
      'next [served]',
    ]);
    const layers = `${call(1, '10..90', named(2))}\n  web CLIENT "layer" 11..89 http.request.method=GET url.full=http://orders/work ${named(2)}`;
    assert.deepEqual(readAnswers(layers, root), ['call served', 'layer served']);
  });

  test("is another call's if the span is below that call", () => {
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), below(page)), ['call [served]']);
    const over = below(page).replace('12..90', '12..15');
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), over), ['call served']);
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), below(page, named(2))), ['call [served]']);
    const linked = `trace 3\n  app CLIENT "other" 12..90 http.request.method=GET url.full=http://orders/work id:other\n${root} link:other`;
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), linked), ['call [served]']);
  });

  test('may be its own if the span is below a call of another request, or below a call with another answer', () => {
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), below(page, '', '/other')), ['call served']);
    const two = `${below(page, 'http.response.header.traceresponse=00-<2>-<own>-01')}\n      orders SERVER "own" 22..82 ${work} id:own`;
    assert.deepEqual(readAnswers(call(1, '10..90', named(2)), two), ['call served']);
  });

  test('may be passed on by a gateway that the call reached', () => {
    assert.deepEqual(readAnswers(call(1, '10..99', named(2)), below(handedOn, named(2))), ['call served']);
    const behind = `trace 3\n  ${handedOn}\n    app CLIENT "behind" 12..90 http.request.method=GET url.full=http://orders/work ${named(2)}`;
    assert.deepEqual(readAnswers(call(1, '10..99', named(2)), behind, root), [
      'call served',
      'behind served',
    ]);
  });
});
