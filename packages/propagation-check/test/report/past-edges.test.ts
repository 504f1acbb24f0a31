import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { reportShape } from '../../scripts/report-shape.ts';
import { auditWindow } from '../../src/audit/audit-window.ts';
import { describeCauses, markAuditEdge } from '../../src/audit/report/describe-audit.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: false, docsRoot: '' };
const get = 'http.request.method=GET url.path=/work';

/** `gateway` hands on the header that it received. */
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
  const { spans, expectation } = readDrawing(drawings.join(''));
  return checkTraces(spans, { expectation });
}

suite('an edge that is here only because another is broken', () => {
  const result = judge(handedOn(1), handedOn(2));
  const [past] = result.edges.filter(({ client, server }) => client === 'web' && server === 'orders');

  test('names the hop, and counts neither as intact nor as broken', () => {
    assert.deepEqual(past?.past, { service: 'gateway', calls: 2 });
    const text = renderTerminal(result, details, options);
    assert.match(text, /^BROKEN {2}1 of 2 edges, 2 of 4 calls /);
    assert.match(text, /^~ web → orders +http {2}2 calls, past gateway$/m);
    assert.match(text, /^✓ web → gateway /m);
  });

  test('in the other reports', () => {
    assert.match(
      renderJunit(result, details, options),
      /name="web → orders">\n<skipped message="2 calls past gateway"\/>/,
    );
    assert.match(renderMarkdown(result, details, options, []), /^\| ➖ ` web → orders `/m);
    assert.match(renderHtml(result, details, [], ''), /class="number accepted">past gateway</);
    assert.deepEqual(reportShape.parse(JSON.parse(renderJson(result, details))).edges, result.edges);
  });

  test('in an audit', () => {
    const window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const now = { window, result, seen: { complete: true, says: '' } };
    const none = { before: null, state: null, failUnder: null } as const;
    const { edges } = auditWindow({ source: 'a', now, failOn: 'error', ...none });
    const told = edges.map((edge) => [markAuditEdge(edge), describeCauses(edge, null)]);
    assert.deepEqual(told, [
      ['error', 'header-passed-through 2'],
      ['fine', ''],
      ['accepted', '2 past gateway'],
    ]);
  });

  test('where calls of its own are whole, only some of them went past', () => {
    const text = renderTerminal(judge(handedOn(1), handedOn(2), direct), details, options);
    assert.match(text, /^✓ web → orders +http {2}3 calls, 2 past gateway$/m);
  });

  test('past several services, all calls count, and the service of most is named', () => {
    const [edge] = judge(handedOn(1, 'proxy'), handedOn(2), handedOn(3)).edges.filter(
      ({ past: each }) => each !== undefined,
    );
    assert.deepEqual([edge?.calls, edge?.past], [3, { service: 'gateway', calls: 3 }]);
    const text = renderTerminal(judge(handedOn(1, 'proxy'), handedOn(2)), details, options);
    assert.match(text, /^~ web → orders +http {2}2 calls, past /m);
  });

  test('none where the edge is expected, and where the hop writes its own header', () => {
    const expected = 'expect web -> orders\nexpect web -> gateway -> orders\n';
    const own = handedOn(1).replace('    orders', '        orders');
    for (const whole of [judge(expected, handedOn(1)), judge(own), judge(direct)])
      assert.ok(whole.edges.every((edge) => edge.past === undefined));
    assert.equal(judge(own).verdict, 'intact');
  });
});
