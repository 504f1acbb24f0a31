import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ConfigError,
  type Environment,
  readInteger,
  readServiceConfig,
  readServiceUrl,
} from 'service-kit/config';
import { runToEnd } from 'service-kit/testing';

const unset = { name: 'service', port: 8081, trustIncoming: 'never' } as const;

function readConfig(env: Environment) {
  const url = readServiceUrl(env, 'SERVICE_B_URL', 'http://localhost:8082');
  const timeout = readInteger(env, 'SERVICE_B_TIMEOUT_MS', { min: 1, unset: 2_000 });
  return { ...readServiceConfig(env, unset), url, timeout };
}

test('has defaults', () => {
  assert.deepEqual(readConfig({}), {
    name: 'service',
    host: '127.0.0.1',
    port: 8081,
    url: new URL('http://localhost:8082'),
    timeout: 2_000,
    tls: null,
    propagation: 'auto',
    trustIncoming: 'never',
    logSpans: false,
    logLevel: 'info',
    limits: {
      maxConnections: 2_000,
      maxRequests: 1_000,
      maxEventLoopDelayMillis: 1_000,
      requestTimeoutMillis: 10_000,
    },
    exportsSpans: true,
    otlpProtocol: 'http/json',
    batching: {
      scheduledDelayMillis: 5_000,
      exportTimeoutMillis: 30_000,
      maxQueueSize: 2_048,
      maxExportBatchSize: 512,
    },
    keeping: {
      maxBytes: 33_554_432,
      flushTimeoutMillis: 10_000,
      shutdownTimeoutMillis: 0,
      receiver: 'the Collector',
    },
    metricsPort: null,
  });
});

test('takes an empty variable as unset', () => {
  const empty = Object.fromEntries(
    ['HOST', 'PORT', 'PROPAGATION', 'TRUST_INCOMING', 'OTEL_PROPAGATORS', 'LOG_SPANS', 'LOG_LEVEL'].map(
      (name) => [name, ''],
    ),
  );
  assert.deepEqual(readConfig(empty), readConfig({}));
});

test('reads whom to trust', () => {
  const read = (value: string) => readConfig({ TRUST_INCOMING: value }).trustIncoming;
  assert.equal(read('never'), 'never');
  assert.equal(read('always'), 'always');
  assert.deepEqual(read('10.0.0.0/8, 192.0.2.7,fd00::/8'), [
    { family: 'ipv4', address: '10.0.0.0', prefix: 8 },
    { family: 'ipv4', address: '192.0.2.7', prefix: 32 },
    { family: 'ipv6', address: 'fd00::', prefix: 8 },
  ]);
});

test('takes the names of propagators that the SDK takes', () => {
  for (const names of ['b3, tracecontext,b3', 'b3multi,baggage', 'none'])
    assert.doesNotThrow(() => readConfig({ OTEL_PROPAGATORS: names }));
});

test('does not export where the standard variable says so', () => {
  assert.equal(readConfig({ OTEL_TRACES_EXPORTER: 'none' }).exportsSpans, false);
});

test('takes the protocol of traces before that of every signal', () => {
  const all = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
  assert.equal(readConfig(all).otlpProtocol, 'http/protobuf');
  const traces = { ...all, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' };
  assert.equal(readConfig(traces).otlpProtocol, 'http/json');
});

describe('refuses', () => {
  const trust = 'never, always, or networks such as 10.0.0.0/8,fd00::/8';
  const propagators = 'tracecontext, baggage, b3, b3multi, none, separated by commas';
  const serviceBUrl = 'an http:// or https:// URL without credentials, query and fragment';
  const cases = [
    ['PORT', '65536', 'an integer from 0 to 65535'],
    ['PORT', '80a', 'an integer from 0 to 65535'],
    ['PORT', '-1', 'an integer from 0 to 65535'],
    ['MAX_CONNECTIONS', '0', 'an integer from 1 to 2147483647'],
    ['SERVICE_B_TIMEOUT_MS', '2s', 'an integer from 1 to 2147483647'],
    ['SERVICE_B_URL', 'service-b:8082', serviceBUrl],
    ['SERVICE_B_URL', '//service-b', serviceBUrl],
    ['SERVICE_B_URL', 'http://user@service-b', serviceBUrl],
    ['SERVICE_B_URL', 'http://service-b/?a=b', serviceBUrl],
    ['PROPAGATION', 'automatic', 'auto, manual'],
    ['TRUST_INCOMING', 'yes', trust],
    ['TRUST_INCOMING', '10.0.0.0/33', trust],
    ['TRUST_INCOMING', '10.0.0.0/', trust],
    ['TRUST_INCOMING', '10.0.0/8', trust],
    ['TRUST_INCOMING', 'fd00::/129', trust],
    ['TRUST_INCOMING', 'fe80::1%eth0/64', trust],
    ['TRUST_INCOMING', '10.0.0.0/8,', trust],
    ['TRUST_INCOMING', 'never,10.0.0.0/8', trust],
    ['OTEL_PROPAGATORS', 'tracecontext,xray', propagators],
    ['LOG_SPANS', 'yes', 'false, true'],
    ['LOG_LEVEL', 'loud', 'fatal, error, warn, info, debug, trace, silent'],
    ['OTEL_BSP_SCHEDULE_DELAY', '0', 'an integer from 1 to 2147483647'],
    ['SPAN_BACKLOG_BYTES', '1000', 'an integer from 65536 to 2147483647'],
    ['METRICS_PORT', '0', 'an integer from 1 to 65535'],
    ['SPAN_SPOOL_DIR', import.meta.filename, 'a folder to which this service can write'],
    ['OTLP_TOKEN_FILE', '/no/such/file', 'the path of a file that this service can read'],
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', '/no/such/file', 'the path of a file that this service can read'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'otlp, none'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'http/json, http/protobuf'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc', 'http/json, http/protobuf'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'an http:// or https:// URL'],
  ] as const;
  for (const [name, value, allowed] of cases) {
    test(`${name}=${value}`, () => {
      const expected = new ConfigError(`${name}=${JSON.stringify(value)} is not valid; allowed: ${allowed}`);
      assert.throws(() => readConfig({ [name]: value }), expected);
    });
  }
});

test('takes all TLS files or none', () => {
  assert.throws(
    () => readConfig({ TLS_KEY_FILE: import.meta.filename }),
    new ConfigError(
      'TLS needs all of TLS_AUTHORITY_FILE, TLS_CERTIFICATE_FILE and TLS_KEY_FILE, and some are missing; set all or none',
    ),
  );
});

describe('a bad value at start is one line on stderr and exit code 2', { concurrency: true }, () => {
  for (const name of ['service-a', 'service-b'] as const) {
    test(name, async () => {
      const { code, stdout, stderr } = await runToEnd(name, { PROPAGATION: 'no\nsuch\u001b[31m' });
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.equal(
        stderr,
        `${name}: PROPAGATION="no\\nsuch\\u001b[31m" is not valid; allowed: auto, manual\n`,
      );
    });
  }
});

describe('does not print a password', () => {
  for (const name of ['SERVICE_B_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) {
    for (const [value, shown] of [
      ['ftp://user:secret@there', 'ftp://user:***@there'],
      ['user:secret@there', 'user:***@there'],
      ['http//user:sec:r@et@there', 'http//user:***@there'],
    ] as const) {
      test(`${name}=${value}`, () => {
        const start = `${name}=${JSON.stringify(shown)} is not valid; `;
        assert.throws(
          () => readConfig({ [name]: value }),
          ({ message }: Error) => message.startsWith(start),
        );
      });
    }
  }
});
