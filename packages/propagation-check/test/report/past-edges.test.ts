import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { reportShape } from '../../scripts/report-shape.ts';
import { auditWindow } from '../../src/audit/audit-window.ts';
import { describeCauses, markAuditEdge } from '../../src/audit/report/describe-audit.ts';
import { CallTracker } from '../../src/cli/watch/call-tracker.ts';
import { createChangeDescriber } from '../../src/cli/watch/describe-changes.ts';
import { renderEdgesOnce } from '../../src/cli/watch/render-edges.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { checkStore } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { makeJudge } from '../sink/make-judge.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: false, docsRoot: '' };
const get = 'http.request.method=GET url.path=/work';

/** `gateway` forwards the header that it received. */
const handedOn = (trace: number, gateway = 'gateway') => `
trace ${trace}
  web       CLIENT "GET" 0..90 http.request.method=GET url.full=http://${gateway}/work
    ${gateway} SERVER "GET" 5..85 ${get}
      ${gateway} CLIENT "GET" 8..82 http.request.method=GET url.full=http://orders/work
    orders  SERVER "GET /work" 10..80 ${get}
`;
const direct = `
trace 9
  web       CLIENT "GET" 500..590 http.request.method=GET url.full=http://orders/work
    orders  SERVER "GET /work" 510..580 ${get}
`;

function judge(...drawings: readonly string[]) {
  return checkDrawing(drawings.join(''));
}

suite('an edge that exists only because another is broken', () => {
  const result = judge(handedOn(1), handedOn(2));
  const [past] = result.edges.filter(({ client, server }) => client === 'web' && server === 'orders');

  test('names the hop, and counts as neither intact nor broken', () => {
    assert.deepEqual(past?.past, { service: 'gateway', calls: 2 });
    const text = renderTerminal(result, details, options);
    assert.match(text, /^BROKEN {2}1 of 2 edges, 2 of 4 calls /);
    assert.match(text, /^~ web → orders +http {2}2 calls, past gateway$/m);
    assert.match(text, /^✓ web → gateway /m);
  });

  test('is shown in the other reports', () => {
    assert.match(
      renderJunit(result, details, options),
      /name="web → orders">\n<skipped message="2 calls past gateway"\/>/,
    );
    assert.match(renderMarkdown(result, details, options, []), /^\| ➖ ` web → orders `/m);
    assert.match(renderHtml(result, details, [], ''), /class="number accepted">past gateway</);
    assert.deepEqual(reportShape.parse(JSON.parse(renderJson(result, details))).edges, result.edges);
  });

  test('is shown by watch', () => {
    const { spans } = readDrawing(handedOn(1));
    const tracker = new CallTracker({ settleMs: 0 });
    tracker.add(spans, 0);
    tracker.judge(0, checkStore);
    const counts = { traces: 1, open: 0, spans: 4, leftOut: 0, period: null };
    const state = {
      ...{ name: 'spans.jsonl', startedAt: 0, now: 0, counts, away: null, notes: [] },
      edges: tracker.edges(0),
    };
    assert.match(
      renderEdgesOnce(state, { width: 120, color: false }).join('\n'),
      /^ {2}~ web → orders .* past gateway$/m,
    );
    assert.match(
      createChangeDescriber()(state).join('\n'),
      /Z ~ web → orders {2}seen, 1 call, past gateway$/m,
    );
    assert.match(createChangeDescriber()(state).join('\n'), /Z ✓ web → gateway {2}seen, 1 call$/m);
  });

  test('is counted in the metrics of a sink', () => {
    const sink = makeJudge();
    sink.send(readDrawing(handedOn(1) + handedOn(2) + direct).spans);
    sink.finish();
    assert.deepEqual(
      sink.list().filter((line) => line.startsWith('web → orders')),
      ['web → orders intact: 1', 'web → orders undecided past-service: 2'],
    );
  });

  test('is shown by audit', () => {
    const window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const now = { window, result, seen: { complete: true, says: '' } };
    const none = { before: null, state: null, failUnder: null } as const;
    const { edges } = auditWindow({ source: 'a', now, failOn: 'error', ...none });
    const told = edges.map((edge) => [markAuditEdge(edge, result), describeCauses(edge, null)]);
    assert.deepEqual(told, [
      ['error', 'header-passed-through 2'],
      ['fine', ''],
      ['accepted', '2 past gateway'],
    ]);
  });

  test('counts only some of its calls as past the hop where others are whole', () => {
    const text = renderTerminal(judge(handedOn(1), handedOn(2), direct), details, options);
    assert.match(text, /^✓ web → orders +http {2}3 calls, 2 past gateway$/m);
  });

  test('past several services: counts all calls, and names the most frequent service', () => {
    const [edge] = judge(handedOn(1, 'proxy'), handedOn(2), handedOn(3)).edges.filter(
      ({ past: each }) => each !== undefined,
    );
    assert.deepEqual([edge?.calls, edge?.past], [3, { service: 'gateway', calls: 3 }]);
    const text = renderTerminal(judge(handedOn(1, 'proxy'), handedOn(2)), details, options);
    assert.match(text, /^~ web → orders +http {2}2 calls, past /m);
  });

  test('is none where it is expected, or where the hop sends its own header', () => {
    const expected = 'expect web -> orders\nexpect web -> gateway -> orders\n';
    const own = handedOn(1).replace('    orders', '        orders');
    for (const whole of [judge(expected, handedOn(1)), judge(own), judge(direct)])
      assert.ok(whole.edges.every((edge) => edge.past === undefined));
    assert.equal(judge(own).verdict, 'intact');
  });
});
