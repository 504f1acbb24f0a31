import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer, explainDrawing, judgeDrawing } from './judge-drawing.ts';
import { listDrawings, readExplanations, renderExplanation } from './render-explanations.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

function explain(fixture: string, given = true) {
  const { spans, expectation } = readDrawing(readFileSync(join(fixtures, `${fixture}.txt`), 'utf8'));
  const result = checkTraces(spans, { ...(given ? { expectation } : {}), explain: true });
  return (result.explain ?? []).map(({ service, kind, reasons }) => [
    `${kind} of ${service}`,
    ...reasons.map(({ finding, gate, values }) => `${finding}: ${gate}: ${values}`),
  ]);
}

test('a closed gate reports its values', () => {
  assert.deepEqual(explain('missing-server/healthy-cached-duration'), [
    [
      'CLIENT of web',
      'missing-server: the answers do not come from a cache: usually 45.0 ms, whole calls 100.0 ms',
      'split-trace: another side is there: no SERVER span began another trace while the call was open (3 at other times)',
    ],
  ]);
});

test('both sides of a pair that is not reported say why', () => {
  const ends = explain('split-trace/healthy-every-call-share');
  const reason =
    'split-trace: nearly every call to the target and every request of the kind pair up, if the edge is whole by another way: ' +
    '4 pairs of 5 calls and 4 requests';
  assert.deepEqual(
    ends.map(([end, first]) => [end, first === reason]),
    [
      ...Array.from({ length: 4 }, () => ['CLIENT of web', true]),
      ['CLIENT of web', false],
      ...Array.from({ length: 4 }, () => ['SERVER of orders', true]),
    ],
  );
});

test('a root of a service with known callers says that it may be called from outside', () => {
  assert.equal(
    explain('client-not-instrumented/healthy-fewest-unique', false).at(-1)?.at(-1),
    'missing-call: another side is there: no expectation names a caller of orders: it may be called from outside',
  );
});

test('messages that nobody received say why nothing judges them, in the same words in result and explanation', () => {
  const kafka = 'messaging.system=kafka messaging.destination.name=mail';
  const sent = `trace 1\n  web PRODUCER "send" 0..5 ${kafka}`;
  const others = `${sent}\ntrace 2\n  web PRODUCER "send" 10..15 ${kafka}\n    mails CONSUMER "process" 20..30 ${kafka}`;
  const whole = `trace 3\n  web PRODUCER "send" 100..105 ${kafka}\n    mails CONSUMER "process" 110..120 ${kafka}`;
  for (const [drawing, says] of [
    [sent, 'no CONSUMER span here has it as parent or link, nor another message to mail'],
    [`${others}\n${whole}`, 'mails received other messages to mail'],
  ] as const) {
    const { unjudged, explain } = checkTraces(readDrawing(drawing).spans, { explain: true });
    assert.deepEqual(
      explain?.map((end) => [end.kind, end.unjudged]),
      [['PRODUCER', says]],
    );
    assert.deepEqual(
      unjudged?.map(({ calls }) => calls),
      [1],
    );
  }
});

test('a root of a service without known callers says which request of another service it fits', () => {
  const request = 'trace 1\n  web SERVER "GET /buy" 0..100 http.request.method=GET url.path=/buy';
  const root = (at: number) =>
    `trace 2\n  stock SERVER "GET /stock" ${at}..${at + 10} http.request.method=GET url.path=/stock`;
  const explainDrawn = (at: number) =>
    checkTraces(readDrawing(`${request}\n${root(at)}`).spans, { explain: true }).explain?.map(
      ({ service, reasons }) => [service, ...reasons.map(({ finding, values }) => `${finding}: ${values}`)],
    );
  assert.deepEqual(explainDrawn(20), [['stock', 'missing-call: 0 of 1 root in those of web']]);
  assert.deepEqual(explainDrawn(200), []);
});

test('an orphan says which calls of its trace have no child', () => {
  assert.deepEqual(explain('missing-client/healthy', false).at(0)?.slice(0, 2), [
    'SERVER of orders',
    'missing-client: another side is there: 0 calls without a child in its trace, and no expectation names a caller of the service',
  ]);
});

function drawHop(hops: readonly string[]): string {
  return `trace 1
  load CLIENT "GET" 0..90 url.full=http://proxy/hello
    proxy SERVER "session" 2..87 http.request.method=GET url.path=/hello
${hops.join('\n')}
    hello SERVER "GET /hello" 10..70 http.request.method=GET url.path=/hello`;
}

/** A drawing, or the name of a fixture, and what a report of it would need. */
const needs: readonly (readonly [drawing: string, needs: string])[] = [
  [
    'trace-id-truncated/healthy-padded',
    'CLIENT of web: trace-id-truncated: the trace id of one side is the last 16 digits of the other: 0000000000000001 and 00000000000000000000000000000001',
  ],
  [
    `${drawHop([
      '      proxy CLIENT "GET" 5..8 url.full=http://hello/warm',
      '        hello SERVER "GET /warm" 6..7 url.path=/warm',
      '      proxy CLIENT "GET" 9..80 http.request.method=GET url.full=http://hello/hello',
    ])}
${drawHop([]).replace('trace 1', 'trace 2')}`,
    'CLIENT of proxy: header-passed-through: no call of the hop to the service is whole, or calls without a child fit these requests: 1',
  ],
  [
    'split-trace/healthy-job-ids',
    'CONSUMER of worker: split-trace: one PRODUCER span has the id of the message, and no other span here continued it: 1 message: of another queue or log',
  ],
  [
    'split-trace/healthy-fewest-lost-messages',
    'PRODUCER of web: split-trace: several messages are lost on either side: 2 sent and not received, 2 received and not sent',
  ],
  [
    'split-trace/healthy-messages-from-outside',
    'CONSUMER of orders: split-trace: the edge is expected and as many messages are lost on either side, in order; or times pair nearly all: 4 sent and not received, 4 received and not sent',
  ],
  [
    'split-trace/healthy-link-limit',
    'PRODUCER of web: split-trace: no limit on links: batches link to different numbers of messages, or to one: each links to 2',
  ],
  [
    `trace 1
  web PRODUCER "send" 0..5 id:one messaging.system=kafka messaging.destination.name=events
  web PRODUCER "send" 10..15 messaging.system=kafka messaging.destination.name=events
trace 2
  batcher CONSUMER "poll" 20..30 link:one messaging.system=kafka messaging.destination.name=events messaging.batch.message_count=4`,
    'PRODUCER of web: split-trace: as many messages are in no batch as batches lack, and several: 1 are in none, and batches lack 3',
  ],
  [
    `expect web -> orders
trace 1
  web INTERNAL "send" 0..10
trace 2
  orders INTERNAL "work" 1020..1080`,
    'INTERNAL of orders: split-trace: spans of the called service began traces while spans of the caller were open: none of the 1 of orders',
  ],
  [
    `expect web -> orders
trace 1
  web CLIENT "GET" 0..10 url.full=http://orders/work
trace 2
  orders CLIENT "GET" 1020..1080 url.full=http://partner/price`,
    'CLIENT of web: server-not-instrumented: spans of the called service began traces while calls of the caller were open: none of the 1 of orders',
  ],
  [
    'baggage-lost/healthy-no-evidence',
    'CLIENT of web: baggage-lost: a tap or an attribute shows that an entry is missing: nothing shows hello=world in 1 of 1 call',
  ],
  [
    'unexpected-edge/healthy',
    'CLIENT of web: unexpected-edge: another side is there: nothing shows that it calls stock',
  ],
  [
    'split-trace/healthy-messages',
    'PRODUCER of web: uninstrumented-peer: the span is a CLIENT span, which waits for its peer: 1 PRODUCER span',
  ],
  [
    'external-parent/healthy-local-parent',
    'SERVER of orders: external-parent: the missing parent is of another process: of its own process, by the flags of 1 span',
  ],
  [
    `trace 1
  web SERVER "GET /call" 0..100 http.request.method=GET url.path=/call
    web CLIENT "GET" 10..90 http.request.method=GET url.full=http://orders:8082/work http.response.status_code=200
      orders SERVER "GET /work" 110..170 http.request.method=GET url.path=/work
trace 2
  orders SERVER "GET /work" 1000..1010 http.request.method=GET url.path=/work`,
    'SERVER of orders: clock-skew: a clock offset is large enough to notice: the clock of orders is 90 ms ahead',
  ],
];

for (const [drawing, line] of needs) {
  test(`of a closed gate: ${line}`, () => {
    const text = drawing.includes('\n') ? drawing : readFileSync(join(fixtures, `${drawing}.txt`), 'utf8');
    const lines = explainDrawing(text);
    assert.ok(lines.includes(line), lines.join('\n'));
  });
}

const explanations = readExplanations();

for (const drawing of listDrawings()) {
  test(`the explanation of ${drawing} is the kept one (npm run explanations -w propagation-check writes them)`, () => {
    assert.equal(renderExplanation(drawing), explanations.get(drawing) ?? '');
  });
}

test('every kept explanation belongs to a drawing', () => {
  const drawings = new Set(listDrawings());
  assert.deepEqual(
    [...explanations.keys()].filter((drawing) => !drawings.has(drawing)),
    [],
  );
});

test('without the option, the result has no explain field', () => {
  assert.ok(!('explain' in checkTraces([])));
  assert.deepEqual(checkTraces([], { explain: true }).explain, []);
});

interface SplitCalls {
  readonly client?: string;
  readonly scope?: string;
  readonly target?: string;
  readonly server?: string;
  readonly agent?: string;
}

/** Nine calls of an instrumentation, each with its request in another trace. */
function drawSplitCalls(
  number: number,
  {
    client = 'web',
    scope = 'fetch',
    target = 'orders:8082/work',
    server = 'orders',
    agent = 'curl',
  }: SplitCalls,
): string {
  const path = target.slice(target.indexOf('/'));
  return Array.from({ length: 9 }, (_, round) => {
    const at = number * 9000 + round * 700 + (round % 3) * 90;
    const place = { from: at + 10, to: at + 70, service: server, extra: `user_agent.original=${agent}` };
    return (
      drawChain(
        number * 40 + 2 * round,
        drawClient({ from: at, to: at + 80, service: client, extra: `scope:${scope}` }, target),
      ) + drawChain(number * 40 + 2 * round + 1, drawServer(place, path))
    );
  }).join('');
}

test('a request is of another program than the reported calls of the same edge and instrumentation', () => {
  const left =
    drawChain(900, drawClient({ from: 8000, to: 8080, extra: 'scope:fetch' })) +
    drawChain(901, drawServer({ from: 8010, to: 8070, extra: 'user_agent.original=curl' }));
  for (const others of [
    { scope: 'axios' },
    { client: 'shop' },
    { server: 'stock', target: 'stock:8083/items' },
  ]) {
    const drawing = drawSplitCalls(1, { agent: 'undici' }) + drawSplitCalls(2, others) + left;
    assert.equal(judgeDrawing(drawing).length, others.scope === undefined ? 2 : 1);
    assert.deepEqual(
      explainDrawing(drawing).filter((line) => line.includes('split-trace')),
      [
        'CLIENT of web: split-trace: another side is there: 1 SERVER span began other traces meanwhile: 1 sent by another program (user agent)',
      ],
      JSON.stringify(others),
    );
  }
});
