import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

interface Sides {
  readonly url?: string;
  readonly client?: string;
  readonly server?: string;
}

/** A call whose SERVER span has a parent that is missing. */
function loseParent({ url = 'http://orders:8082/work', client = '', server = '' }: Sides) {
  return findOne(`expect web -> orders
trace 1
  web CLIENT "GET" 10..90 http.request.method=GET url.full=${url} http.response.status_code=200 ${client}
  lost
    orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work ${server}
`);
}

/** A call whose SERVER span began a trace of its own. */
function split({ url = 'http://orders:8082/work', client = '', server = '' }: Sides) {
  return findOne(`expect web -> orders
trace 1
  web CLIENT "GET" 10..90 http.request.method=GET url.full=${url} http.response.status_code=200 ${client}
trace 2
  orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work ${server}
`);
}

function findOne(drawing: string) {
  const { spans, expectation } = readDrawing(drawing);
  const [finding, ...others] = checkTraces(spans, { expectation }).findings;
  assert.ok(finding !== undefined && others.length === 0);
  return finding;
}

suite('a platform that writes spans of its own is named if a parent is missing', () => {
  for (const [sides, fix] of [
    [{ url: 'https://a1.execute-api.eu-west-1.amazonaws.com/dev/work' }, /OTEL_PROPAGATORS=tracecontext/],
    [{ url: 'https://a1.lambda-url.eu-west-1.on.aws/work' }, /X-Ray/],
    [{ server: 'faas.trigger=http resource:cloud.platform=aws_lambda' }, /DisableAwsXRayContextExtraction/],
    [{ server: 'faas.trigger=http resource:cloud.provider=aws' }, /X-Ray/],
    [{ url: 'https://orders-a1-ew.a.run.app/work' }, /Cloud Trace/],
    [{ url: 'https://eu-project.cloudfunctions.net/work' }, /Cloud Trace/],
    [{ server: 'resource:cloud.platform=gcp_cloud_run' }, /OTEL_PROPAGATORS=b3multi,baggage/],
    [{ server: 'resource:cloud.platform=gcp.cloud_run' }, /Cloud Trace/],
    [{ url: 'https://orders.azurewebsites.net/work' }, /"telemetryMode": "OpenTelemetry"/],
    [{ url: 'https://shop.azure-api.net/work' }, /httpCorrelationProtocol/],
    [{ server: 'resource:cloud.platform=azure.functions' }, /host\.json/],
    [{ server: 'network.peer.address=127.0.0.6 network.peer.port=4711' }, /disableSpanReporting/],
    [{ url: 'http://orders.shop.svc:8082/work' }, /Istio/],
    [{ url: 'http://orders.shop.svc.cluster.local:8082/work' }, /proxy\.tracing\.collector\.endpoint/],
    [{ server: 'resource:k8s.pod.name=orders-1' }, /Istio/],
    [{ client: 'component=proxy' }, /Istio/],
  ] satisfies [Sides, RegExp][]) {
    test(JSON.stringify(sides), () => {
      const finding = loseParent(sides);
      assert.equal(finding.id, 'missing-client');
      assert.equal(finding.candidates?.[0], 'header-rewritten');
      assert.match(finding.fix, fix);
    });
  }
});

suite('a platform that exchanges no context is the likeliest cause of split traces', () => {
  for (const [sides, cause, fix] of [
    [{ client: 'resource:cloud.platform=cloudflare.workers' }, 'header-not-sent', /otel-cf-workers/],
    [{ server: 'resource:cloud.provider=cloudflare' }, 'header-ignored', /Known limitations/],
    [{ url: 'http://localhost:3500/work' }, 'header-malformed', /samplingRate to "1"/],
  ] satisfies [Sides, string, RegExp][]) {
    test(JSON.stringify(sides), () => {
      const finding = split(sides);
      assert.equal(finding.id, 'split-trace');
      assert.equal(finding.candidates?.[0], cause);
      assert.match(finding.fix, fix);
    });
  }
});

test('one of several calls names the platform for all', () => {
  const drawCall = (trace: number, at: number, url: string): string => `trace ${trace}
  web CLIENT "GET" ${at + 10}..${at + 90} http.request.method=GET url.full=${url} http.response.status_code=200
trace ${trace + 1}
  orders SERVER "GET /work" ${at + 20}..${at + 80} http.request.method=GET url.path=/work
`;
  const calls = drawCall(1, 0, 'http://orders:8082/work') + drawCall(3, 1000, 'http://localhost:3500/work');
  const { candidates, fix } = findOne(`expect web -> orders\n${calls}`);
  assert.equal(candidates?.[0], 'header-malformed');
  assert.match(fix, /samplingRate to "1"/);
});

suite('no platform is named', () => {
  test('if nothing in the spans names one', () => {
    assert.match(loseParent({}).fix, /^if header-rewritten: Export the spans of the hop/);
  });

  for (const sides of [
    { url: 'https://run.app.example/work' },
    { url: 'https://s3.eu-west-1.amazonaws.com/work' },
    // A third party's domain that begins like a platform's.
    { url: 'https://a1.execute-api.eu-west-1.amazonaws.com.example/work' },
    { url: 'https://a1.lambda-url.eu-west-1.on.aws.example/work' },
    { url: 'https://orders.run.app.example/work' },
    { url: 'https://orders.azurewebsites.net.example/work' },
    { url: 'http://orders.svc.example/work' },
    { server: 'faas.trigger=pubsub resource:cloud.provider=aws' },
    { server: 'resource:cloud.provider=gcp' },
    { url: 'http://gateway:3500/work' },
  ] satisfies Sides[]) {
    test(JSON.stringify(sides), () => {
      assert.match(loseParent(sides).fix, /^if header-rewritten: Export the spans of the hop/);
    });
  }

  test("at another port than a Dapr sidecar's", () => {
    const { candidates, fix } = split({ url: 'http://localhost:8082/work' });
    assert.notEqual(candidates?.[0], 'header-malformed');
    assert.doesNotMatch(fix, /Dapr/);
  });

  test('if its cause is no candidate', () => {
    assert.deepEqual(loseParent({ url: 'http://localhost:3500/work' }).candidates, loseParent({}).candidates);
  });

  test('in the order of candidates of split traces, if it keeps the trace id', () => {
    const order = split({}).candidates;
    for (const server of ['resource:cloud.platform=gcp_cloud_run', 'resource:k8s.pod.name=orders-1'])
      assert.deepEqual(split({ server }).candidates, order);
  });
});

test("Envoy's Zipkin tracer passes traceparent on", () => {
  const { spans } = readDrawing(`trace 1
  web CLIENT "GET" 0..90 http.request.method=GET url.full=http://proxy:80/work http.response.status_code=200
    proxy SERVER "ingress" 2..87 http.request.method=GET url.path=/work component=proxy
      proxy CLIENT "egress" 6..80 http.request.method=GET url.full=http://orders:8082/work component=proxy
    orders SERVER "GET /work" 10..70 http.request.method=GET url.path=/work
`);
  const finding = checkTraces(spans).findings.find(({ id }) => id === 'header-passed-through');
  assert.match(finding?.fix ?? '', /USE_B3_WITH_W3C_PROPAGATION/);
});

suite('nginx with otel_trace on and another otel_trace_context than propagate', () => {
  const web =
    'web CLIENT "GET" 10..90 http.request.method=GET url.full=http://gw:8000/work http.response.status_code=200';
  const gateway = 'gw SERVER "/work" 15..85 http.method=GET http.target=/work scope:nginx';
  const orders = 'orders SERVER "GET /work" 20..80 http.request.method=GET url.path=/work';

  test('inject: the gateway began a trace of its own', () => {
    const found = findOne(`expect web -> gw\ntrace 1\n  ${web}\ntrace 2\n  ${gateway}\n    ${orders}\n`);
    assert.equal(found.candidates?.[0], 'header-ignored');
    assert.match(found.fix, /otel_trace_context propagate/);
  });

  test('ignore: the SERVER span of the gateway stands for its call, and its address is not the one that it calls', () => {
    const user = gateway.replace('scope:', 'net.host.name=gw scope:');
    const found = findOne(
      `expect gw -> orders\ntrace 1\n  ${user}\ntrace 2\n  ${orders} server.address=gw\n`,
    );
    assert.equal(found.candidates?.[0], 'header-not-sent');
    assert.match(found.evidence[0]?.says ?? '', /^SERVER 0{14}03 fits only SERVER /);
    assert.match(
      found.decide?.[0] ?? '',
      /^Look for otel_trace_context .* ignore or extract, .* \(header-not-sent\)$/,
    );
    assert.match(found.decide?.[1] ?? '', /^Let gw call a tap instead of the address that it calls now/);
  });

  test('without an expectation, several requests inside those of the gateway show its call', () => {
    const traces = [0, 1, 2, 3, 4, 5].map((at) => {
      const move = (line: string): string =>
        line.replace(
          /(\d+)\.\.(\d+)/,
          (_, from, to) => `${Number(from) + at * 1_000}..${Number(to) + at * 1_000}`,
        );
      return `trace ${at * 2 + 1}\n  ${move(gateway)}\ntrace ${at * 2 + 2}\n  ${move(orders)} server.address=gw\n`;
    });
    const found = findOne(traces.join(''));
    assert.equal(found.id, 'missing-call');
    assert.match(found.fix, /otel_trace_context propagate/);
    const steps = found.decide?.join('\n') ?? '';
    assert.match(steps, /Look for otel_trace_context/);
    assert.match(steps, /Let gw call a tap instead of the address that it calls now/);
  });

  test('extract: the gateway forwarded the header of its caller', () => {
    const found = findOne(`expect web -> gw -> orders\ntrace 1\n  ${web}\n    ${gateway}\n    ${orders}\n`);
    assert.equal(found.id, 'header-passed-through');
    assert.match(found.fix, /otel_trace_context propagate/);
  });
});
