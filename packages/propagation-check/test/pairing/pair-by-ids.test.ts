import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import { lookUpAnswers } from '../../src/pairing/answers.ts';
import { pairByIds } from '../../src/pairing/pair-by-ids.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** The pairs of open calls and SERVER spans without a parent, by the names of both. */
function pairNamed(...lines: readonly string[]): readonly string[] {
  const { spans: drawn, headers } = readDrawing(`${lines.join('\n')}\n`);
  const graph = buildTraceGraph(drawn);
  const { spans } = graph;
  const clients = spans.filter((span) => span.kind === 'CLIENT' && !graph.hasChild(graph.rowOf(span)));
  const servers = spans.filter(({ kind, parentSpanId }) => kind === 'SERVER' && parentSpanId === null);
  return pairByIds(
    graph,
    clients,
    servers,
    lookUpAnswers(graph, clients, headers, thresholds),
    thresholds,
  ).map(({ client, server }) => `${client.name} ${server.name}`);
}

const call = (trace: number, name: string, extra = '', from = 10) =>
  `trace ${trace}\n  web CLIENT "${name}" ${from}..${from + 80} http.request.method=GET id:${name} ${extra}`;
const request = (trace: number, name: string, extra = '', from = 20) =>
  `trace ${trace}\n  orders SERVER "${name}" ${from}..${from + 60} http.request.method=GET id:${name} ${extra}`;
const answeredBy = (trace: number, span: string) =>
  `http.response.header.traceresponse=00-<${trace}>-<${span}>-01`;
const sentBy = (trace: number, span: string) => `http.request.header.traceparent=00-<${trace}>-<${span}>-01`;

suite('a call and a request are one', () => {
  test('if the answer names the SERVER span, as the caller or a tap recorded it', () => {
    assert.deepEqual(pairNamed(call(1, 'call', answeredBy(2, 'request')), request(2, 'request')), [
      'call request',
    ]);
    const tap = 'tap 15..85 GET /work 200 sent traceparent=00-<1>-<call>-01 received -';
    const answered = `${tap} answered traceresponse=00-<2>-<request>-01`;
    assert.deepEqual(pairNamed(call(1, 'call'), request(2, 'request'), answered), ['call request']);
    assert.deepEqual(pairNamed(call(1, 'call'), request(2, 'request'), tap), []);
  });

  test('if the request names the CLIENT span and began while it was open', () => {
    const received = request(2, 'request', sentBy(1, 'call'));
    assert.deepEqual(pairNamed(call(1, 'call'), received), ['call request']);
    assert.deepEqual(pairNamed(call(1, 'call', '', 1_010), received), []);
  });

  test('not if two calls have one answer, or two requests name the call', () => {
    const answer = answeredBy(2, 'request');
    const calls = [call(1, 'call', answer), call(3, 'other', answer)];
    assert.deepEqual(pairNamed(...calls, request(2, 'request')), []);
    const received = [request(2, 'request', sentBy(1, 'call')), request(3, 'again', sentBy(1, 'call'), 25)];
    assert.deepEqual(pairNamed(call(1, 'call'), ...received), []);
  });
});

suite('an answer that names a request outside of the call', () => {
  test('came from a cache if the request is of another trace: then no answer to the caller proves anything', () => {
    const cached = [request(3, 'older', '', -100), call(4, 'cached', answeredBy(3, 'older'))];
    assert.deepEqual(
      pairNamed(call(1, 'call', answeredBy(2, 'request')), request(2, 'request'), ...cached),
      [],
    );
    const received = request(2, 'request', sentBy(1, 'call'));
    assert.deepEqual(pairNamed(call(1, 'call'), received, ...cached), ['call request']);
  });

  test('came from the callee if the request is of the same trace and below another span', () => {
    const named = call(3, 'named', answeredBy(3, 'misplaced'));
    const page = '  web SERVER "page" 0..200\n    orders SERVER "misplaced" 20..80 id:misplaced';
    assert.deepEqual(
      pairNamed(call(1, 'call', answeredBy(2, 'request')), request(2, 'request'), named, page),
      ['call request'],
    );
    const later = '  orders SERVER "later" 220..280 id:later';
    assert.deepEqual(pairNamed(call(1, 'call', answeredBy(1, 'later')), later), []);
  });
});
