import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer } from './judge-drawing.ts';

/** The parent span id of the request in "to decide". */
const own = '7e577e577e577e57';
/** The example of W3C Trace Context, as a program may have copied it. */
const other = '00f067aa0ba902b7';

/** The spans of a drawing; a parent that is not drawn gets this id. */
function drawBehind(parentSpanId: string, drawing: string): readonly Span[] {
  const { spans } = readDrawing(drawing);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.map((span) =>
    span.parentSpanId === null || ids.has(span.parentSpanId) ? span : { ...span, parentSpanId },
  );
}

const instance = 'resource:service.instance.id=one';

/** Calls of web to orders through a proxy that removes the header, after a request of the user to orders. */
function drawStripped(parent: string): readonly Span[] {
  const trace = `00-0af7651916cd43dd8448eb211c80319c-${parent}-01`;
  const request = `trace 9
  lost
    ${drawServer({ from: 0, to: 30, extra: `flags:0x301 ${instance} http.request.header.traceparent=["${trace}"]` }, '/')}
`;
  const calls = [100, 200, 330, 470].map(
    (at, index) =>
      drawChain(
        index * 2 + 10,
        `web SERVER "GET /buy" ${at}..${at + 60} http.request.method=GET url.path=/buy`,
        drawClient({
          from: at + 5,
          to: at + 55,
          extra: `id:call${index} http.request.header.traceparent=["00-<${index * 2 + 10}>-<call${index}>-01"]`,
        }),
      ) + drawChain(index * 2 + 11, drawServer({ from: at + 10, to: at + 50, extra: instance })),
  );
  return drawBehind(parent, request + calls.join(''));
}

/** Whole calls of web to orders, and a request of the user to stock, which no service is seen to call. */
function drawBeside(parent: string, draw: (header: string) => string): readonly Span[] {
  const calls = [100, 200, 330, 470].map((at, index) =>
    drawChain(
      index + 10,
      `web SERVER "GET /buy" ${at}..${at + 60} http.request.method=GET url.path=/buy`,
      drawClient({ from: at + 5, to: at + 55 }),
      drawServer({ from: at + 10, to: at + 50 }),
    ),
  );
  const header = `http.request.header.traceparent=["00-<9>-${parent}-01"]`;
  return drawBehind(parent, `trace 9\n${draw(header)}\n${calls.join('')}`);
}

test('the request of the user has no missing caller, and its recorded header decides the other calls', () => {
  const list = (parent: string) =>
    checkTraces(drawStripped(parent)).findings.map(({ id, count }) => [id, count]);
  assert.deepEqual(list(own), [['header-stripped', 4]]);
  assert.deepEqual(list(other), [
    ['header-stripped', 4],
    ['external-parent', 1],
  ]);
});

const requests = [
  {
    id: 'missing-client',
    what: 'continued the trace',
    draw: (header: string) =>
      `  lost\n    ${drawServer({ from: 0, to: 30, service: 'stock', extra: `flags:0x301 ${header}` }, '/')}`,
  },
  {
    id: 'header-ignored',
    what: 'began a trace',
    draw: (header: string) => `  ${drawServer({ from: 0, to: 30, service: 'stock', extra: header }, '/')}`,
  },
];

for (const { id, what, draw } of requests) {
  test(`the request of the user is no call of the expected edge, although it ${what}`, () => {
    const { expectation } = readDrawing('expect orders -> stock');
    const list = (parent: string) =>
      checkTraces(drawBeside(parent, draw), { expectation }).findings.map((finding) => [
        finding.id,
        finding.count,
      ]);
    assert.deepEqual(list(own), [['missing-call', 0]]);
    assert.deepEqual(list(other), [[id, 1]]);
  });
}

test('a request with a second header is the call of a service that copied the header of the user', () => {
  const twice = `http.request.header.traceparent=["00-<9>-${own}-01","00-<9>-${other}-01"]`;
  const spans = drawBeside(
    own,
    () => `  ${drawServer({ from: 0, to: 30, service: 'stock', extra: twice }, '/')}`,
  );
  const { expectation } = readDrawing('expect orders -> stock');
  const { findings } = checkTraces(spans, { expectation });
  assert.deepEqual(
    findings.map(({ id, count }) => [id, count]),
    [['header-duplicated', 1]],
  );
});

test('a service that does not trust the caller links to the request of the user', () => {
  const list = (spanId: string) => {
    const { spans } = readDrawing(`trace 1\n  ${drawServer({ from: 0, to: 30 }, '/')}`);
    const links = [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId, traceState: '', flags: 1 }];
    return checkTraces(spans.map((span) => ({ ...span, links }))).findings.map(({ id }) => id);
  };
  assert.deepEqual(list(own), []);
  assert.deepEqual(list(other), ['external-parent']);
});

/** A request of the user to web, during which a request with the same header reaches a service, which continues the trace or begins one. */
function drawWithin(parent: string, { call, service, from, to, begins = false }: Within): readonly Span[] {
  const header = `http.request.header.traceparent=["00-<9>-${parent}-01"]`;
  const request = drawServer({ from, to, service, extra: begins ? header : `flags:0x301 ${header}` });
  return drawBehind(
    parent,
    `trace 9
  lost
    web SERVER "GET /buy" 0..60 http.request.method=GET url.path=/buy flags:0x301 ${header}
${call}
${begins ? `trace 10\n  ${request}` : `    ${request}`}
`,
  );
}

interface Within {
  readonly call: string;
  readonly service: string;
  readonly from: number;
  readonly to: number;
  readonly begins?: boolean;
}

const passedOn: Within = {
  call: `      ${drawClient({ from: 5, to: 55 })}`,
  service: 'orders',
  from: 10,
  to: 50,
};

for (const begins of [false, true]) {
  test(`a service passes the header of the user on to one that ${begins ? 'begins a trace' : 'continues it'}`, () => {
    const list = (parent: string) =>
      checkTraces(drawWithin(parent, { ...passedOn, begins })).findings.flatMap(
        ({ id, severity, client, server }) => (severity === 'info' ? [] : [[id, client, server]]),
      );
    assert.deepEqual(list(own), list(other));
    assert.deepEqual(
      list(own).map(([, client, server]) => [client, server]),
      [['web', 'orders']],
    );
  });
}

const ofUser = {
  'after the call': { ...passedOn, from: 56, to: 59 },
  'to the end of another time': { ...passedOn, to: 80 },
  'without a call': { ...passedOn, call: '' },
  'beside a whole call': {
    ...passedOn,
    call: `${passedOn.call}\n        ${drawServer({ from: 12, to: 40, service: 'stock' })}`,
  },
  'to the same service': { ...passedOn, service: 'web' },
};

for (const [when, drawing] of Object.entries(ofUser)) {
  test(`the user sends both requests, the second ${when}`, () => {
    const { findings } = checkTraces(drawWithin(own, drawing));
    assert.deepEqual(
      findings.filter(({ server, id }) => id !== 'uninstrumented-peer' && server === drawing.service),
      [],
    );
  });
}
