import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { suite, test } from 'node:test';
import { auditWindow } from '../../src/audit/audit-window.ts';
import { markAuditEdge } from '../../src/audit/report/describe-audit.ts';
import { CallTracker } from '../../src/cli/watch/call-tracker.ts';
import { renderEdgesOnce } from '../../src/cli/watch/render-edges.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { markEdge, renderEdges } from '../../src/report/terminal-edges.ts';
import { applyBaseline } from '../../src/verdict/apply-baseline.ts';
import { checkStore, checkTraces } from '../../src/verdict/check-traces.ts';
import type { EdgeResult, Result } from '../../src/verdict/result.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkFixtureDrawing, drawingsFolder, readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details = { source: 'a file', reason: null, notes: [], collector: null };
const options = { width: 100, color: false, docsRoot: '' };

function makeEdge(server: string, counts: Partial<EdgeResult>): EdgeResult {
  return { ...{ client: 'web', server, protocol: 'http', calls: 0, broken: 0 }, ...counts };
}

const result: Result = {
  ...{ version: 1, verdict: 'broken', traces: 1, spans: 2, findings: [] },
  edges: [makeEdge('stock', { calls: 4, broken: 2 }), makeEdge('orders', { unjudged: 12 })],
  undecided: [{ client: 'web', server: 'orders', says: 'none of 12 calls judged' }],
};

suite('an open edge beside a broken one', () => {
  test('is in the headline', () => {
    assert.match(
      renderTerminal(result, details, options),
      /^BROKEN {2}1 of 2 edges, 2 of 4 calls, 12 more not judged /,
    );
  });

  test('has the mark of a warning, and other protocols of the edge do not', () => {
    const mark = (protocol: EdgeResult['protocol']) =>
      markEdge(makeEdge('orders', { calls: 1 }), {
        findings: [],
        undecided: [{ client: 'web', server: 'orders', protocol, says: 'none of 12 calls judged' }],
      });
    assert.equal(mark('http'), 'warning');
    assert.equal(mark('messaging'), 'fine');
  });

  test('has no mark where a baseline or an expectation accepts the finding that leaves it open', () => {
    const drawing = readFixtureDrawing('split-trace/shown-other-host.txt');
    const judge = (toleratedPeers: readonly string[]) =>
      checkTraces(drawing.spans, { expectation: { ...drawing.expectation, toleratedPeers } });
    assert.equal(judge(['orders']).undecided, undefined);
    const open = readFixtureDrawing('missing-server/shown-half.txt');
    const result = checkTraces(open.spans, open);
    const known = applyBaseline(result, [{ client: 'web', server: 'orders', finding: 'missing-server' }]);
    const listMarks = (of: Result) => of.edges.map((edge) => markEdge(edge, of));
    assert.deepEqual([listMarks(result), listMarks(known)], [['warning'], ['fine']]);
  });

  test('has the mark of a warning where it is expected and a few messages are open on both sides', () => {
    const kafka = 'messaging.system=kafka messaging.destination.name=mails';
    const messages = Array.from({ length: 6 }, (_, at) => {
      const received = `mailer CONSUMER "process" ${at * 100 + 10}..${at * 100 + 20} ${kafka}`;
      const isLost = at === 3;
      return `trace ${at + 1}\n  web PRODUCER "send" ${at * 100}..${at * 100 + 5} ${kafka}\n${isLost ? 'trace 99\n' : '  '}  ${received}`;
    }).join('\n');
    for (const [expected, sign] of [
      ['', '✓'],
      ['expect web -> mailer\n', '!'],
    ] as const) {
      const { spans, expectation } = readDrawing(expected + messages);
      const checked = checkTraces(spans, { expectation });
      assert.deepEqual([checked.verdict, checked.findings, checked.undecided], ['intact', [], undefined]);
      assert.deepEqual(renderEdges(checked, { width: 80, color: false }), [
        `${sign} web → mailer  messaging  5 of 6 messages judged`,
      ]);
      const tracker = new CallTracker({ settleMs: 0 });
      tracker.add(spans, 0);
      tracker.judge(0, (store) => checkStore(store, { expectation }));
      const watched = {
        ...{ name: 'spans.jsonl', startedAt: 0, now: 0, away: null, notes: [] },
        ...{ edges: tracker.edges(0), counts: tracker.counts() },
      };
      assert.match(
        renderEdgesOnce(watched, { width: 80, color: false }).join('\n'),
        new RegExp(`^  ${sign} web → mailer `, 'm'),
      );
      const window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
      const now = { window, result: checked, seen: { complete: true, says: '' } };
      const [edge] = auditWindow({
        source: 'a',
        now,
        failOn: 'error',
        before: null,
        state: null,
        failUnder: null,
      }).edges;
      assert.equal(edge && markAuditEdge(edge, checked), sign === '!' ? 'warning' : 'fine');
    }
  });

  test('is skipped in JUnit', () => {
    const xml = renderJunit(result, details, options);
    assert.match(xml, / name="web → orders">\n<skipped message="none of 12 calls judged"\/>/);
    assert.match(xml, / skipped="1">/);
    const edges = [
      makeEdge('orders', { unjudged: 12 }),
      makeEdge('orders', { protocol: 'messaging', calls: 1, unjudged: 3 }),
    ];
    const undecided = edges.map(({ client, server, protocol }) => ({ client, server, protocol, says: '' }));
    assert.match(
      renderJunit({ ...result, edges, undecided }, details, options),
      /<skipped message="none of 12 calls judged; 1 of 4 messages judged"\/>/,
    );
  });

  test('has its column in the HTML report, and room for its label between the boxes', () => {
    const page = renderHtml(result, details, [], '');
    assert.match(page, /<th scope="col" class="number">not judged</);
    const ends = (pattern: RegExp) => [...page.matchAll(pattern)].map((match) => match.slice(1).map(Number));
    const [[x = 0] = []] = ends(/<text x="([\d.]+)" y="[\d.]+">none of 12 calls judged/g);
    const half = ('none of 12 calls judged'.length * 7.6) / 2;
    for (const [left = 0, width = 0] of ends(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g))
      assert.ok(left + width <= x - half || left >= x + half, `${left} ${width} ${x}`);
  });

  test('fits the width of a terminal, and leaves other edges on one line', () => {
    const counts = { calls: 1_234, broken: 1_000, unjudged: 123_456, doubtful: 234, known: true } as const;
    const past = { service: 'a-service-with-a-long-name', calls: 1_000 };
    const edges = [
      makeEdge('a-service-with-quite-a-name', { ...counts, tolerated: true }),
      makeEdge('stock', { calls: 4 }),
    ];
    for (const width of [40, 60, 80]) {
      const all = [...edges, makeEdge('third', { calls: 1_234, unjudged: 123_456, doubtful: 234, past })];
      const lines = renderEdges({ ...result, edges: all }, { width, color: false })
        .join('\n')
        .split('\n');
      for (const line of lines) assert.ok(line.length <= width, line);
      assert.ok(
        lines.some((line) => /^✓ web → stock +http +4 calls$/.test(line)),
        lines.join('\n'),
      );
    }
  });
});

test('an audit marks each edge as a check does', () => {
  const window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const seen = new Set<string>();
  for (const name of globSync('{missing-*,split-trace,uninstrumented-peer}/*.txt', { cwd: drawingsFolder })) {
    const checked = checkFixtureDrawing(name);
    const now = { window, result: checked, seen: { complete: true, says: '' } };
    const none = { before: null, state: null, failUnder: null } as const;
    const audit = auditWindow({ source: 'a', now, failOn: 'error', ...none });
    const marks = checked.edges.map((edge) => {
      const audited = audit.edges.find(
        (one) => one.client === edge.client && one.server === edge.server && one.protocol === edge.protocol,
      );
      return [
        markEdge(edge, checked),
        audited === undefined ? null : markAuditEdge(audited, checked),
      ] as const;
    });
    for (const [mark, ofAudit] of marks) {
      assert.equal(ofAudit, mark, name);
      seen.add(mark);
    }
  }
  assert.deepEqual([...seen].sort(), ['accepted', 'error', 'fine', 'warning']);
});
