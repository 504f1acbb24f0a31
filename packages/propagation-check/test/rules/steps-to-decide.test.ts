import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findings } from '../../src/rules/findings.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, drawClient, drawServer } from './judge-drawing.ts';

const flask = 'scope:opentelemetry.instrumentation.flask resource:telemetry.sdk.language=python';

test('the setting that records headers comes first, then taps, then packets', () => {
  const [record, send, tap, packets, ...others] = listSteps(
    drawChain(1, drawClient({ from: 10, to: 90 })) +
      drawChain(2, drawServer({ from: 20, to: 80, extra: flask })),
  );
  assert.equal(
    record,
    'Let orders record headers in its spans: OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=traceparent,b3,x-b3-traceid (exec sets it)',
  );
  assert.match(
    send ?? '',
    /^Before the calls, send orders a request of your own .*\. If its span shows the header, .*:\ncurl -H 'traceparent: 00-\S+' http:\/\/orders:8082\/$/,
  );
  assert.match(tap ?? '', /propagation-check tap/);
  assert.match(packets ?? '', /tcpdump .* tcp port 8082.*--wire wire\.pcap/);
  assert.deepEqual(others, []);
});

test('the request with a header goes to the address of the service, which a shell must be able to take', () => {
  const findUrl = (client: string, server: string): string | undefined => {
    const steps = listSteps(
      drawChain(1, drawClient({ from: 10, to: 90, extra: client })) +
        drawChain(2, drawServer({ from: 20, to: 80, extra: `${flask} ${server}` })),
    );
    return steps.flatMap((step) => /curl .* (\S+)$/.exec(step)?.[1] ?? [])[0];
  };
  assert.equal(findUrl('', 'server.address=10.0.0.7 server.port=9000'), 'http://10.0.0.7:9000/');
  assert.equal(findUrl('', 'server.address=$(id) server.port=9000'), 'http://orders:8082/');
  assert.equal(
    findUrl('url.full=https://orders:8443/work server.port=8443', 'url.scheme=https'),
    'http://HOST:PORT/',
  );
});

for (const value of ['[Filtered]', '****', '00-0af7651916cd43dd8448eb211c80319c-b7']) {
  test(`a header that is recorded and hidden has to be shown: ${value}`, () => {
    const [show, tap] = listSteps(
      drawChain(1, drawClient({ from: 10, to: 90 })) +
        drawChain(
          2,
          drawServer({ from: 20, to: 80, extra: `${flask} http.request.header.traceparent=${value}` }),
        ),
    );
    assert.match(show ?? '', /^Let spans of orders show the traceparent .*OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT/);
    assert.match(tap ?? '', /propagation-check tap/);
  });
}

const undici = 'scope:@opentelemetry/instrumentation-undici resource:telemetry.sdk.language=nodejs';

/** A split call both of whose sides could record headers, and the record of a tap. */
const drawTapped = (tap: string): string =>
  drawChain(1, drawClient({ from: 10, to: 90, extra: `id:call ${undici}` })) +
  drawChain(2, drawServer({ from: 20, to: 80, extra: flask })) +
  tap;

test('a side that a tap recorded needs no setting', () => {
  const own = 'traceparent=00-<1>-<call>-01';
  const recording = (tap: string): readonly string[] =>
    listSteps(drawTapped(tap)).flatMap((step) => /^Let (\w+) record headers/.exec(step)?.[1] ?? []);
  assert.deepEqual(recording(''), ['orders', 'web']);
  assert.deepEqual(recording(`tap behind-caller 12..88 GET /work 200 sent ${own} received ${own}`), [
    'orders',
  ]);
  // Only the caller knows the id of its span, so this header proves what it sent.
  assert.deepEqual(recording(`tap somewhere 12..88 GET /work 200 sent ${own} received ${own}`), ['orders']);
  // Nothing ties the record to the call.
  assert.deepEqual(recording('tap somewhere 12..88 GET /work 200 sent - received -'), ['orders', 'web']);
});

test('a caller whose spans have no header may have the setting already', () => {
  const step = listSteps(drawTapped('')).find((each) => each.startsWith('Let web record headers'));
  assert.match(
    step ?? '',
    /instrumentation-undici\. If it does so already, these calls had none of the headers$/,
  );
});

test('after a recorded request with a header, a request without one is known to have had none', () => {
  const draw = (probe: string): string => {
    const own = `${flask} resource:service.instance.id=one`;
    const probed = drawServer({ from: 0, to: 5, extra: `parent:curl ${own} ${probe}` }, '/');
    return (
      `trace 8\n  lost id:curl\n    ${probed}\n` +
      drawChain(1, drawClient({ from: 10, to: 90 })) +
      drawChain(2, drawServer({ from: 20, to: 80, extra: own }))
    );
  };
  assert.match(listSteps(draw(''))[0] ?? '', /^Let orders record headers/);
  const [tap, ...others] = listSteps(draw('http.request.header.traceparent=00-<8>-<curl>-01'));
  assert.match(tap ?? '', /^Let web call a tap/);
  assert.ok(others.every((step) => !/record headers|Before the calls/.test(step)));
});

test('if no setting records headers, taps come first', () => {
  const [tap] = listSteps(
    drawChain(1, drawClient({ from: 10, to: 90 })) + drawChain(2, drawServer({ from: 20, to: 80 })),
  );
  assert.match(tap ?? '', /propagation-check tap/);
});

test('for a message, no tap is suggested', () => {
  const message = 'messaging.system=kafka messaging.destination.name=orders';
  const [look, ...others] = listSteps(
    drawChain(1, `web PRODUCER "orders send" 10..20 ${message}`) +
      drawChain(2, `orders CONSUMER "orders process" 30..80 ${message}`),
  );
  assert.match(look ?? '', /^Look at such a message in the broker/);
  assert.deepEqual(others, []);
});

test('for a message whose parent is missing, the step looks for the parent', () => {
  const message = 'messaging.system=kafka messaging.destination.name=orders';
  const drawing = `trace 1\n  lost id:sent\n    orders CONSUMER "orders process" 30..80 ${message}\n`;
  const [look, restart, ...others] = listSteps(drawing, 'expect web -> orders\n');
  assert.match(look ?? '', /^Send the spans of web .* span [0-9a-f]{16} of trace [0-9a-f]{32}$/);
  assert.match(restart ?? '', /^Restart web with .* PRODUCER span .* \(client-span-lost\)/);
  assert.deepEqual(others, []);
});

test('a cause that is known needs no step', () => {
  const sent = 'id:call http.request.header.traceparent=00-<1>-<call>-01';
  const received = 'http.request.header.traceparent=[]';
  assert.deepEqual(
    listSteps(
      drawChain(1, drawClient({ from: 10, to: 90, extra: sent })) +
        drawChain(2, drawServer({ from: 20, to: 80, extra: received })),
    ),
    [],
  );
});

test('for an unexpected call, the first step is to expect it', () => {
  const requests = ['web SERVER "GET /" 0..100', 'orders SERVER "GET /orders" 10..80'];
  const traces = requests.map((request, index) => drawChain(index + 1, request)).join('');
  const [expect] = listSteps(`repeat 6 every 1000\n${traces}end\n`, '');
  assert.match(
    expect ?? '',
    /^If web calls orders or sends it messages, check again with --expect 'web -> orders'/,
  );
});

test('an edge of a service without a name cannot be expected', () => {
  const message = 'messaging.system=kafka messaging.destination.name=orders';
  const draw = (sender: string): string =>
    `repeat 5 every 1000\n${
      drawChain(1, `${sender} PRODUCER "orders send" 10..20 ${message}`) +
      drawChain(2, `orders CONSUMER "orders process" 30..80 ${message}`)
    }end\n`;
  const expecting = (sender: string): readonly string[] =>
    listSteps(draw(sender), '').filter((step) => step.includes('--expect'));
  assert.equal(expecting('web').length, 1);
  assert.deepEqual(expecting('-'), []);
});

test('if a SERVER span is missing, two restarts distinguish the causes', () => {
  const whole = (number: number, from: number) =>
    drawChain(number, drawClient({ from, to: from + 80 }), drawServer({ from: from + 10, to: from + 70 }));
  const lonely = drawChain(9, drawClient({ from: 400, to: 480 }));
  const [print, sample, ...others] = listSteps(
    whole(1, 0) + whole(2, 200) + lonely + whole(3, 600) + whole(4, 800),
  );
  assert.match(
    print ?? '',
    /^Restart orders with OTEL_TRACES_EXPORTER=otlp,console .* SERVER span .*\(server-span-lost\)$/,
  );
  assert.match(
    sample ?? '',
    /OTEL_TRACES_SAMPLER=always_on .*\(not-sampled\); .*\(server-not-instrumented\)$/,
  );
  assert.deepEqual(others, []);
});

test('a call that was never seen is looked for in the caller before a tap is suggested', () => {
  const [advice, tap] = listSteps(
    drawChain(1, 'web SERVER "GET /call" 0..100 http.request.method=GET url.path=/call'),
  );
  assert.equal(advice, findings['missing-call'].fix);
  assert.match(tap ?? '', /propagation-check tap/);
});

test('a packet capture is suggested for plain HTTP only', () => {
  const rpc = 'rpc.system=grpc rpc.method=o.O/Get';
  const steps = listSteps(
    drawChain(
      1,
      `web CLIENT "o.O/Get" 10..90 ${rpc} rpc.grpc.status_code=0 server.address=orders server.port=50051`,
    ) + drawChain(2, `orders SERVER "o.O/Get" 20..80 ${rpc} rpc.grpc.status_code=0`),
  );
  assert.ok(steps.length > 0);
  assert.ok(!steps.some((step) => step.includes('tcpdump')));
});

test('no packet capture is suggested for TLS', () => {
  for (const call of [
    'url.full=https://orders/work',
    'server.address=orders server.port=443 url.path=/work',
  ]) {
    const steps = listSteps(
      drawChain(1, `web CLIENT "GET" 10..90 http.request.method=GET ${call}`) +
        drawChain(2, drawServer({ from: 20, to: 80 })),
    );
    assert.ok(steps.some((step) => step.includes('where TLS ends')));
    assert.ok(!steps.some((step) => step.includes('tcpdump') || step.includes('--target')));
  }
});

test('for an MCP call, the step looks at its `params._meta`', () => {
  const mcp = 'mcp.method.name=tools/call gen_ai.tool.name=add';
  const [http, stdio, ...others] = listSteps(
    drawChain(1, `web CLIENT "tools/call add" 10..90 ${mcp}`) +
      drawChain(2, `orders SERVER "tools/call add" 20..80 ${mcp}`),
  );
  assert.match(http ?? '', /propagation-check tap --client web --server orders between the two/);
  assert.match(stdio ?? '', /print the requests as orders reads them/);
  assert.deepEqual(others, []);
});

function listSteps(traces: string, expectation = 'expect web -> orders'): readonly string[] {
  const { spans, headers, ...drawn } = readDrawing(`${expectation}\n${traces}`);
  const [finding] = checkTraces(spans, { expectation: drawn.expectation, headers }).findings;
  assert.ok(finding);
  return finding.decide ?? [];
}

const header = 'http.request.header.traceparent';

/** A call whose header is lost, and a whole call of another service whose headers orders records. */
function drawRecorded(extra: string, recorded: string, received = extra): string {
  return `
trace 1
  web CLIENT "GET" 100..190 http.request.method=GET url.full=http://orders:80/work http.response.status_code=200 id:lost ${header}=00-<1>-<lost>-01
trace 2
  orders SERVER "GET /work" 110..180 http.request.method=GET url.path=/work server.port=80 ${extra}
trace 3
  auth CLIENT "GET" ${recorded} http.request.method=GET url.full=http://orders:80/who http.response.status_code=200 id:whole
    orders SERVER "GET /who" ${recorded} http.request.method=GET url.path=/who server.port=80 ${received} ${header}=00-<3>-<whole>-01
`;
}

function judgeRecorded(drawing: string) {
  const { spans } = readDrawing(drawing);
  const [finding] = checkTraces(spans).findings;
  return finding;
}

const sent = 'web recorded a traceparent of its own on all of these calls: it sent the header';

test('a service that records headers on other spans is asked to name its process', () => {
  const { decide = [], facts = [] } = judgeRecorded(drawRecorded(flask, '10..90')) ?? {};
  assert.match(decide[0] ?? '', /^Let the resource of orders name its process \(service\.instance\.id/);
  assert.ok(decide.every((step) => !step.includes('CAPTURE_HEADERS')));
  assert.ok(facts.includes(sent));
  assert.ok(
    facts.some((fact) => /^orders recorded .* or another process of the service made these spans/.test(fact)),
  );
});

test('once the service names its process, the missing headers decide', () => {
  const { id } = judgeRecorded(drawRecorded(`${flask} resource:service.instance.id=one`, '10..90')) ?? {};
  assert.equal(id, 'header-stripped');
});

test('for calls before the first recorded header of a process, later calls are suggested', () => {
  const named = `${flask} resource:service.instance.id=one`;
  const { decide = [], facts = [] } = judgeRecorded(drawRecorded(named, '210..290')) ?? {};
  assert.match(decide[0] ?? '', /^Check only calls after the first one of which orders recorded a header/);
  assert.ok(facts.some((fact) => /^orders recorded .* the setting is newer than these spans/.test(fact)));
});

test('if only another instrumentation of the service records headers, recording stays a step', () => {
  const { decide = [], facts = [] } =
    judgeRecorded(drawRecorded(flask, '10..90', `${flask.replace('flask', 'django')}`)) ?? {};
  assert.match(decide[0] ?? '', /^Let orders record headers in its spans/);
  assert.deepEqual(
    facts.filter((fact) => fact.startsWith('orders')),
    [],
  );
});

test('a hidden header has to be shown, even if others are visible', () => {
  const hidden = `${header}=[Filtered]`;
  const { decide = [] } = judgeRecorded(drawRecorded(`${flask} ${hidden}`, '10..90', flask)) ?? {};
  assert.match(decide[0] ?? '', /^Let spans of orders show the traceparent/);
});

test('if the likeliest cause is a span that was not exported, the exporter comes before headers', () => {
  const [own, record] = listSteps(drawChain(1, 'lost', drawServer({ from: 20, to: 80, extra: flask })));
  assert.match(own ?? '', /^Restart web with OTEL_TRACES_EXPORTER=otlp,console/, 'no span of web is here');
  assert.match(record ?? '', /^Let orders record headers/);
});

test('packets are captured at the called port if no SERVER span names its own', () => {
  const call = 'http.request.method=GET url.full=http://10.0.0.9:8083/work http.response.status_code=200';
  const steps = listSteps(drawChain(1, `web CLIENT "GET" 10..90 ${call}`));
  assert.match(steps.at(-1) ?? '', /tcp port 8083,/);
});

test('a tap cannot stand before a function or a workflow', () => {
  const invoke = 'rpc.system=aws-api rpc.service=Lambda rpc.method=Invoke faas.invoked_name=resize';
  const [log, ...others] = listSteps(
    drawChain(1, `shop CLIENT "resize Invoke" 10..90 ${invoke}`) +
      drawChain(2, 'images SERVER "resize" 20..80 resource:faas.name=resize'),
  );
  assert.match(log ?? '', /^Log the event and context\.clientContext in the function/);
  assert.deepEqual(others, []);
  const [show, ...more] = listSteps(
    drawChain(1, 'shop INTERNAL "StartWorkflow:Order" 10..20 temporalWorkflowID=order-1') +
      drawChain(2, 'worker INTERNAL "RunWorkflow:Order" 30..80 temporalWorkflowID=order-1'),
  );
  assert.match(show ?? '', /^Look at the header of the first event of such a workflow/);
  assert.deepEqual(more, []);
});

test('the fix for a function or a workflow names its payload', () => {
  const fixOf = (...drawing: readonly string[]) =>
    checkTraces(readDrawing(drawing.join('')).spans).findings[0]?.fix ?? '';
  const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:resize:live';
  const invoked = fixOf(
    drawChain(
      1,
      `shop CLIENT "resize Invoke" 10..90 rpc.system=aws-api rpc.service=Lambda rpc.method=Invoke faas.invoked_name=${arn}`,
    ),
    drawChain(2, 'resize SERVER "resize" 20..80'),
  );
  assert.match(invoked, /ClientContext/);
  const started = fixOf(
    drawChain(1, 'shop INTERNAL "StartWorkflow:Order" 10..20 workflowId=order-1'),
    drawChain(2, 'worker INTERNAL "RunWorkflow:Order" 30..80 workflowId=order-1'),
  );
  assert.match(started, /interceptor of the Temporal SDK/);
});
