import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderHtml } from '../../src/report/html/render-html.ts';
import type { ReportDetails } from '../../src/report/json.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { findingIds } from '../../src/rules/finding.ts';
import { findings } from '../../src/rules/findings.ts';
import type { Finding, Result } from '../../src/verdict/result.ts';

const details: ReportDetails = { source: 'file', reason: null, notes: [], collector: null };
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

const split: Finding = {
  id: 'split-trace',
  severity: 'error',
  client: 'web',
  server: 'orders',
  protocol: 'http',
  confidence: 'undecided',
  count: 12,
  candidates: ['header-stripped', 'header-not-sent', 'format-mismatch', 'header-ignored'],
  decide: [
    'Let orders record headers in its spans: OTEL_RECORD=\u001b[31mtraceparent',
    findings['split-trace'].fix,
  ],
  evidence: [
    { traceId, spanId, says: `CLIENT ${spanId} has no child` },
    { traceId, spanId: '1'.repeat(16), says: `CLIENT ${'1'.repeat(16)} has no child` },
    { traceId, spanId: '2'.repeat(16), says: 'another one' },
    { traceId, spanId: '3'.repeat(16), says: 'not shown' },
  ],
  scopes: { client: ['undici'], server: ['http', 'otel\u001b[31m'] },
  fix: 'if header-stripped: Let every proxy forward the header.',
  docs: 'docs/findings/split-trace.md',
};

const broken: Result = {
  version: 1,
  verdict: 'broken',
  traces: 52,
  spans: 345,
  edges: [
    { client: 'orders', server: 'payments', protocol: 'rpc', calls: 40, broken: 0 },
    { client: 'web', server: 'orders', protocol: 'http', calls: 40, broken: 12 },
  ],
  findings: [
    {
      ...split,
      id: 'clock-skew',
      severity: 'warning',
      client: 'orders',
      server: 'payments',
      candidates: [],
      protocol: 'rpc',
      confidence: 'certain',
      fix: 'Synchronise the clocks.',
      count: 1,
      scopes: { client: [], server: [] },
      evidence: [],
    },
    split,
    {
      id: 'uninstrumented-peer',
      severity: 'info',
      client: 'payments',
      server: null,
      protocol: 'http',
      confidence: 'certain',
      count: 3,
      scopes: { client: [], server: [] },
      evidence: [{ traceId, spanId, says: 'CLIENT span to api.example.com:443 without a SERVER span' }],
      fix: '',
      docs: '',
    },
  ],
};

function render(result: Result, width: number, more: Partial<ReportDetails> = {}, color = false): string {
  return renderTerminal(result, { ...details, ...more }, { width, color, docsRoot: '' });
}

suite('the report for people', () => {
  test('at 100 columns: verdict, edges, errors, warnings, the rest', () => {
    assert.equal(
      render(broken, 100),
      `BROKEN  1 of 2 edges, 12 of 80 calls (52 traces, 345 spans)

✗ web → orders       http  broken 12 of 40
! orders → payments  rpc   40 calls

✗ One request, two traces (split-trace)
  edge      web → orders, 12 calls
  why       The span of the call has no child, and the called service’s span for the same request is
            the root of another trace.
  seen      CLIENT 00f067aa0ba902b7 has no child
            trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7
            trace 4bf92f3577b34da6a3ce929d0e0e4736 span 1111111111111111
            another one
            trace 4bf92f3577b34da6a3ce929d0e0e4736 span 2222222222222222
            … and 9 more calls
  scopes    in web: undici
            in orders: http, otel\\x1b[31m
  may be    1. header-stripped: The header is lost on the way
            2. header-not-sent: The caller sends no propagation header
            3. format-mismatch: The two services use different propagation formats
            less likely: header-ignored
  to decide 1. Let orders record headers in its spans: OTEL_RECORD=\\x1b[31mtraceparent
            2. Use \`propagation-check tap\` to see what the caller sends and what reaches the
               called service.
  fix       if header-stripped: Let every proxy forward the header.
  read      docs/findings/split-trace.md

! The clocks of two services differ (clock-skew)
  edge      orders → payments, 1 call
  why       The SERVER span lies outside the time of its CLIENT span. That alone breaks no trace.
  fix       Synchronise the clocks.
  read      docs/findings/split-trace.md

Good to know:
· uninstrumented-peer from payments, 3 times: CLIENT span to api.example.com:443 without a SERVER
  span
`,
    );
  });

  test('calls to a peer are reported once, in a note or below', () => {
    const [peer] = broken.findings.slice(-1);
    assert.ok(peer !== undefined);
    const judge = (count: number, named = 'payments:80') =>
      render(
        {
          ...broken,
          findings: [split, { ...peer, peer: 'payments:80', count }],
          unjudged: [{ client: 'payments', peer: named, calls: 3 }],
        },
        100,
      ).includes('Good to know:');
    assert.equal(judge(3), false);
    assert.equal(judge(4), true);
    assert.equal(judge(3, 'other:80'), true);
  });

  test('the instrumentations of a call inside one service are listed once', () => {
    const scopes = { client: ['undici', 'http'], server: ['undici', 'http'] };
    const own = { ...broken, findings: [{ ...split, server: 'web', scopes }] };
    assert.match(render(own, 100), /^ {2}scopes {4}in web: undici, http\n {2}may be /m);
    assert.equal(renderHtml(own, details, [], '').split('in web: undici, http').length, 2);
  });

  test('an expected edge without a call is shown as never seen', () => {
    const unseen: Result = {
      ...broken,
      edges: [{ client: 'web', server: 'orders', protocol: 'http', calls: 0, broken: 0 }],
      findings: [{ ...split, id: 'missing-client', count: 0, evidence: [] }],
    };
    assert.match(render(unseen, 100), /^BROKEN {2}1 of 1 edge, never seen \(/);
  });

  const command =
    'See what it sends, with a tap:\npropagation-check tap --listen 0 --target http://a:1 --client web';

  for (const width of [40, 60, 80, 120, 200]) {
    test(`no line is wider than ${width} columns`, () => {
      const everything: Result = {
        ...broken,
        edges: [
          ...broken.edges,
          { client: 'x'.repeat(300), server: 'y'.repeat(300), protocol: 'messaging', calls: 1, broken: 1 },
        ],
        findings: findingIds.map((id) => ({ ...split, id, decide: [command] })),
      };
      const lines = render(everything, width).split('\n');
      assert.deepEqual(
        lines.filter((line) => line.length > width),
        [],
      );
    });
  }

  for (const [width, behindLabel, behindNumber] of [
    [40, 4, 7],
    [60, 12, 15],
    [62, 12, 15],
    [80, 12, 15],
  ] as const) {
    test(`list items are indented to their first word at ${width} columns`, () => {
      const lines = render(broken, width).split('\n');
      const from = lines.findIndex((line) => /^ {2}may be/.test(line)) + 1;
      const to = lines.findIndex((line) => /^ {2}fix/.test(line));
      const indents = lines.slice(from, to).map((line) => /^ */.exec(line)?.[0].length);
      // The label of the steps is in between.
      assert.deepEqual(
        new Set(indents.filter((indent) => indent !== 2)),
        new Set([behindNumber, behindLabel]),
      );
    });
  }

  test('a command that is too wide is continued by a backslash, and a quoted one stays whole', () => {
    const stepOf = (step: string, width: number) => {
      const lines = render({ ...broken, findings: [{ ...split, decide: [step] }] }, width).split('\n');
      const from = lines.findIndex((line) => line.includes('propagation-check tap'));
      return lines.slice(
        from,
        lines.findIndex((line) => /^ {2}fix/.test(line)),
      );
    };
    assert.deepEqual(stepOf(command, 40), [
      '    propagation-check tap --listen 0 \\',
      '        --target http://a:1 --client \\',
      '        web',
    ]);
    const [, pasted = ''] = command.split('\n');
    assert.equal(
      stepOf(command, 40)
        .join('\n')
        .replace(/\s+\\\n\s+/g, ' ')
        .trim(),
      pasted,
    );
    assert.equal(stepOf(command, 80).join('').trim(), pasted);
    const quoted = command.replace('web', "'web shop'");
    assert.equal(stepOf(quoted, 40).length, 1);
  });

  test('colours change only colours', () => {
    const painted = render(broken, 80, {}, true);
    assert.notEqual(painted, render(broken, 80));
    assert.equal(stripVTControlCharacters(painted), render(broken, 80));
  });

  test('an intact system is one line and its edges', () => {
    const [, edge] = broken.edges;
    assert.ok(edge);
    const intact: Result = { ...broken, verdict: 'intact', findings: [], edges: [{ ...edge, broken: 0 }] };
    assert.equal(
      render(intact, 100),
      'INTACT  1 edge, 40 calls (52 traces, 345 spans)\n\n✓ web → orders  http  40 calls\n',
    );
    assert.match(render({ ...intact, edges: [] }, 100), /^INTACT {2}no call between two services was seen/);
  });

  test('an unknown verdict has its reason in the first line', () => {
    const unknown: Result = { ...broken, verdict: 'unknown', edges: [], findings: [] };
    assert.equal(render(unknown, 100, { reason: 'nothing came' }), 'CANNOT TELL  nothing came\n');
  });

  test('an edge that was never seen, and unknown services', () => {
    const text = render(
      {
        ...broken,
        edges: [{ client: null, server: 'orders', protocol: 'http', calls: 0, broken: 0 }],
        findings: [{ ...split, client: null, count: 0, evidence: [] }],
      },
      100,
    );
    assert.match(text, /✗ \(unknown\) → orders {2}http {2}never seen\n/);
    assert.match(text, / {2}edge {6}\(unknown\) → orders, never seen\n/);
  });

  test('notes and the counters of the Collector', () => {
    const collector = {
      name: 'collector=http://c:8888/metrics',
      accepted: 9,
      refused: 1,
      sent: 5,
      sendFailed: 2,
      enqueueFailed: 3,
    };
    const text = render(broken, 200, { notes: ['one'], collector });
    assert.match(
      text,
      /^BROKEN .*\nnote {2}one\nnote {2}collector=http:\/\/c:8888\/metrics: 1 span refused, 2 given up/,
    );
    const fine = { ...collector, refused: 0, sendFailed: 0, enqueueFailed: 0 };
    assert.match(render(broken, 200, { collector: fine }), /metrics: no span refused, failed or dropped\n/);
  });

  test('texts from outside stay in their line and contain no commands', () => {
    const hostile = '\u001b[2J\r\n::error::x\u202e\u0085<b>';
    const finding = {
      ...split,
      client: hostile,
      server: hostile,
      evidence: [{ traceId: hostile, spanId: hostile, says: hostile }],
      fix: hostile,
      docs: hostile,
    };
    const text = render(
      {
        ...broken,
        edges: [{ client: hostile, server: hostile, protocol: 'http', calls: 1, broken: 1 }],
        findings: [finding, { ...finding, severity: 'info' }],
      },
      80,
      { notes: [hostile], reason: hostile },
    );
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    assert.doesNotMatch(text, /(^|\s)::/m);
  });

  test('long lists are cut and counted', () => {
    const [edge] = broken.edges;
    const [info] = broken.findings.filter((finding) => finding.severity === 'info');
    assert.ok(edge && info);
    const text = render(
      {
        ...broken,
        edges: Array.from({ length: 1_000 }, (_, index) => ({ ...edge, server: `s${index}` })),
        findings: Array.from({ length: 1_000 }, () => info),
      },
      80,
    );
    assert.match(text, /\n… and 960 more edges\n/);
    assert.match(text, /\n… and 980 more\n/);
  });
});

test('a finding about spans counts spans, and names their service', () => {
  const unnamed: Finding = {
    ...split,
    id: 'service-unnamed',
    severity: 'warning',
    client: null,
    server: null,
  };
  const text = renderTerminal({ ...broken, findings: [unnamed] }, details, {
    width: 100,
    color: false,
    docsRoot: '',
  });
  assert.match(text, /\n {2}service {3}\(unknown\), 12 spans\n/);
  assert.match(text, /… and 9 more spans\n/);
});
