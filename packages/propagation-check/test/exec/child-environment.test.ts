import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeChildEnvironment } from '../../src/collect/child-environment.ts';

const url = 'http://127.0.0.1:1';
const make = (own: NodeJS.ProcessEnv, isForwarded = false) => makeChildEnvironment(own, url, isForwarded);

test('SDKs of all languages export here without delay, and record received headers', () => {
  const { env, notes } = make({ HOME: '/home/a' });
  const { OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: python, ...rest } = env;
  assert.deepEqual(notes, []);
  assert.equal(python, 'traceparent,b3,x-b3-traceid');
  assert.equal(env.OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS, python);
  assert.equal(env.OTEL_RUBY_INSTRUMENTATION_RACK_CONFIG_OPTS, `allowed_request_headers=${python}`);
  const expected = {
    ...{ HOME: '/home/a', OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
    ...{ OTEL_TRACES_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  assert.deepEqual({ ...rest, ...expected }, rest);
});

test('headers of callers are not recorded: Java and Python would record them before injection', () => {
  const names = Object.keys(make({}).env);
  assert.deepEqual(
    names.filter((name) => /CLIENT/.test(name)),
    [],
  );
});

test('settings of the user stay, except where spans are exported', () => {
  const own = {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_TRACES_EXPORTER: 'console,otlp',
    OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS: 'x-tenant',
  };
  const { env, notes } = make({
    ...own,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://user:secret@c:4318/v1/traces',
  });
  assert.deepEqual({ ...env, ...own }, env);
  assert.equal(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, undefined);
  assert.match(
    notes.join(),
    /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http:\/\/REDACTED@c:4318\/v1\/traces is replaced/,
  );
});

test('the advised --forward command can be pasted, whatever the endpoint contains', () => {
  const { notes } = make({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/a b'c" });
  assert.match(notes.join(), /; --forward 'http:\/\/c:4318\/a b'\\''c' hands the spans on to it$/);
});

test('with --forward no spans are lost, so there is no note and nothing is turned off', () => {
  const { env, notes } = make({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true);
  assert.deepEqual([env.OTEL_METRICS_EXPORTER, notes], [undefined, []]);
});

test('an exporter that sends nothing here is replaced, and noted', () => {
  assert.match(make({ OTEL_TRACES_EXPORTER: 'none' }).notes.join(), /^OTEL_TRACES_EXPORTER=none is replaced/);
  assert.equal(make({ OTEL_TRACES_EXPORTER: 'none' }).env.OTEL_TRACES_EXPORTER, 'otlp');
});

test('no proxy is used for this machine', () => {
  const { env } = make({ HTTP_PROXY: 'http://proxy', no_proxy: 'intranet' });
  assert.deepEqual([env.no_proxy, env.NO_PROXY], ['intranet,127.0.0.1', 'intranet,127.0.0.1']);
  assert.equal(make({}).env.NO_PROXY, undefined);
});
