import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { validateXML } from 'xmllint-wasm';
import { reportShape } from '../../scripts/report-shape.ts';
import { renderGithub } from '../../src/report/github.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { summarise } from '../../src/report/summary.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { renderTree } from '../../src/report/tree.ts';
import { applyBaseline } from '../../src/verdict/apply-baseline.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const schema = readFileSync(new URL('junit.xsd', import.meta.url), 'utf8');
const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: false, docsRoot: '' };

const call = (trace: number, caller: string, called: string, from: number) => `
trace ${trace}
  ${caller} CLIENT "GET" ${from}..${from + 80} http.request.method=GET url.full=http://${called}.example/work http.response.status_code=200
trace ${trace + 1}
  ${called} SERVER "GET /work" ${from + 10}..${from + 70} http.request.method=GET url.path=/work server.address=${called}.example
`;
const whole = `
trace 90
  web      CLIENT "GET" 9000..9100 http.request.method=GET url.full=http://stock/ http.response.status_code=200
    stock  SERVER "GET /" 9010..9090 http.request.method=GET url.path=/
`;
const drawing = `
tolerate vendor
${call(1, 'web', 'orders', 0)}${call(11, 'web', 'payments', 1_000)}${call(21, 'web', 'vendor', 2_000)}${whole}`;
const { spans, expectation } = readDrawing(drawing);
const judged = checkTraces(spans, { expectation });
const orders = { client: 'web', server: 'orders', finding: 'split-trace' } as const;
const mixed = applyBaseline(judged, [orders]);
const all = applyBaseline(judged, [orders, { ...orders, server: 'payments' }]);

suite('known and tolerated findings', () => {
  test('are counted apart, and listed last', () => {
    assert.match(
      renderTerminal(mixed, details, options),
      /^BROKEN {2}1 of 3 edges, 1 of 3 calls; known: 1 edge, 1 call \(7 traces/,
    );
    const text = renderTerminal(all, details, options);
    assert.match(text, /^INTACT {2}except what is known: 2 of 3 edges, 2 of 3 calls \(7 traces/);
    assert.match(text, /^~ web → orders +http {2}broken 1 of 1, known$/m);
    assert.match(text, /^~ web → vendor +http {2}broken 1 of 1, tolerated$/m);
    assert.match(text, /\nAccepted:\n~ known: web → orders, split-trace, 1 call\n/);
    assert.match(text, /^~ tolerated: web → vendor, split-trace, 1 call$/m);
    assert.doesNotMatch(text, /^✗/m);
    const tree = renderTree(all, details, spans, options);
    assert.match(tree, /\n~ known: web → orders, split-trace, 1 call\n/);
    assert.doesNotMatch(tree, /^✗/m);
  });

  test('are skipped in JUnit, with the reason', async () => {
    const xml = renderJunit(mixed, details, options);
    const { valid, errors } = await validateXML({ xml: { fileName: 'report.xml', contents: xml }, schema });
    assert.ok(valid, errors.map((error) => error.rawMessage).join('\n'));
    assert.match(xml, /<testsuite name="propagation-check" tests="4" failures="1" errors="0" skipped="2">/);
    assert.match(xml, /name="web → orders">\n<skipped message="known: split-trace, 1 call"\/>/);
    assert.match(xml, /name="web → vendor">\n<skipped message="tolerated: split-trace, 1 call"\/>/);
    assert.match(xml, /name="web → payments">\n<failure type="split-trace"/);
  });

  test('hide no other break of their edge in JUnit', () => {
    const [first] = mixed.findings;
    assert.ok(first?.known === true);
    const { known: _, candidates: __, ...fresh } = { ...first, id: 'baggage-lost' as const };
    const xml = renderJunit({ ...mixed, findings: [...mixed.findings, fresh] }, details, options);
    assert.match(xml, / failures="2" errors="0" skipped="1">/);
    assert.match(xml, /name="web → orders">\n<failure type="baggage-lost"/);
    assert.match(xml, /<system-out>known: split-trace, 1 call<\/system-out>/);
  });

  test('are notices on GitHub', () => {
    const text = renderGithub(mixed, details, options);
    assert.match(text, /^::error title=Trace context propagation%3A BROKEN::1 of 3 edges/);
    assert.match(text, /^::notice title=web → orders%3A split-trace::known, 1 call$/m);
    assert.match(text, /^::error title=web → payments%3A split-trace::/m);
    assert.match(
      renderGithub(all, details, options),
      /^::notice title=Trace context propagation%3A INTACT::/,
    );
  });

  test('are lines in Markdown and in HTML', () => {
    const markdown = renderMarkdown(all, details, options, spans);
    assert.match(markdown, /^\| ➖ ` web → orders ` \| http \| 1 \| 1 \|$/m);
    assert.match(markdown, /^- known: ` web → orders ` split-trace, 1 call$/m);
    assert.doesNotMatch(markdown, /❌|###/);
    const page = renderHtml(all, details, spans, '');
    assert.match(
      page,
      /<h2>Accepted<\/h2><ul><li>known: web → orders <code>split-trace<\/code>, 1 call<\/li>/,
    );
    assert.doesNotMatch(page, /<article/);
    assert.match(page, /class="number accepted">tolerated</);
  });

  test('are marked in JSON, as its schema requires', () => {
    const { findings, edges } = reportShape.parse(
      JSON.parse(renderJson(mixed, { ...details, failOn: 'warning' })),
    );
    const marks = (items: readonly { server: string | null; known?: true; tolerated?: true }[]) =>
      items.map(({ server, known, tolerated }) => [server, known ?? tolerated ?? false]);
    const expected = [
      ['orders', true],
      ['payments', false],
      ['vendor', true],
    ];
    assert.deepEqual(marks(findings).sort(), expected);
    assert.deepEqual(marks(edges).sort(), [...expected.slice(0, 2), ['stock', false], ...expected.slice(2)]);
  });
});

test('each report says that warnings fail', () => {
  const result = checkFixtureDrawing('span-lost-in-service/shown.txt');
  const failing = { ...details, failOn: 'warning' } as const;
  assert.match(renderTerminal(result, failing, options), /^FAILED .*; warnings fail \(--fail-on warning\)$/m);
  assert.doesNotMatch(renderTerminal(result, details, options), /warnings fail/);
  assert.match(renderJunit(result, failing, options), / failures="1" errors="0" skipped="0">/);
  assert.match(renderJunit(result, details, options), / failures="0" errors="0" skipped="0">/);
  assert.match(renderGithub(result, failing, options), /^::error title=Trace context propagation/);
  assert.match(renderGithub(result, details, options), /^::notice title=Trace context propagation/);
});

test('without a verdict failing warnings come first, then the exit code of the command, then what it explains', () => {
  const result = checkFixtureDrawing('split-trace/shown-possible-messages.txt');
  const ended = { ...details, reason: 'no call was seen', command: { name: 'tests', exitCode: 3 } };
  assert.equal(
    summarise(result, { ...ended, failOn: 'warning' }),
    '1 warning: warnings fail (--fail-on warning); tests ended with exit code 3; no call was seen',
  );
  assert.equal(summarise(result, ended), 'tests ended with exit code 3; no call was seen');
});
