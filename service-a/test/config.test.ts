import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, readConfig } from '../src/config.ts';
import { type Fault, faultNames, faults } from '../src/fault.ts';
import { runToEnd } from './support/run-to-end.ts';

test('has defaults', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 8081,
    serviceBUrl: new URL('http://localhost:8082'),
    tls: null,
    serviceBTimeoutMillis: 2_000,
    propagation: 'auto',
    fault: null,
    logSpans: false,
    logLevel: 'info',
    spanExport: {
      scheduledDelayMillis: 5_000,
      exportTimeoutMillis: 30_000,
      maxQueueSize: 2_048,
      maxExportBatchSize: 512,
      backlogBytes: 33_554_432,
      spoolDirectory: null,
      access: { tokenFile: null, authorityFile: null, certificateFile: null, keyFile: null },
    },
    metricsPort: null,
  });
});

test('takes an empty variable as unset', () => {
  const empty = Object.fromEntries(
    ['HOST', 'PORT', 'PROPAGATION', 'FAULT', 'LOG_SPANS', 'LOG_LEVEL', 'METRICS_PORT', 'SPAN_SPOOL_DIR'].map(
      (name) => [name, ''],
    ),
  );
  assert.deepEqual(readConfig(empty), readConfig({}));
});

test('knows every fault', () => {
  for (const name of faultNames) {
    const fault: Fault = faults[name];
    assert.equal(readConfig({ FAULT: name, PROPAGATION: fault.onlyIn ?? 'auto' }).fault, name);
  }
});

test('refuses a fault that would break nothing', () => {
  assert.throws(() => readConfig({ FAULT: 'drop-baggage', PROPAGATION: 'auto' }), {
    name: 'ConfigError',
    message: 'FAULT=drop-baggage breaks nothing with PROPAGATION=auto; set PROPAGATION=manual',
  });
});

test('does not export where the standard variable says so', () => {
  assert.equal(readConfig({ OTEL_TRACES_EXPORTER: 'none' }).spanExport, null);
});

describe('refuses', () => {
  const serviceBUrl = 'an http:// or https:// URL without credentials, query and fragment';
  const cases = [
    ['PORT', '65536', 'an integer from 0 to 65535'],
    ['PORT', '80a', 'an integer from 0 to 65535'],
    ['PORT', '-1', 'an integer from 0 to 65535'],
    ['SERVICE_B_TIMEOUT_MS', '2s', 'an integer from 1 to 2147483647'],
    ['SERVICE_B_URL', 'service-b:8082', serviceBUrl],
    ['SERVICE_B_URL', '//service-b', serviceBUrl],
    ['SERVICE_B_URL', 'http://user@service-b', serviceBUrl],
    ['SERVICE_B_URL', 'http://service-b/?a=b', serviceBUrl],
    ['PROPAGATION', 'automatic', 'auto, manual'],
    ['FAULT', 'toString', faultNames.join(', ')],
    ['LOG_SPANS', 'yes', 'false, true'],
    ['LOG_LEVEL', 'loud', 'fatal, error, warn, info, debug, trace, silent'],
    ['OTEL_BSP_SCHEDULE_DELAY', '0', 'an integer from 1 to 2147483647'],
    ['SPAN_BACKLOG_BYTES', '1000', 'an integer from 65536 to 2147483647'],
    ['METRICS_PORT', '0', 'an integer from 1 to 65535'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'otlp, none'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'http/json'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'an http:// or https:// URL'],
  ] as const;
  for (const [name, value, allowed] of cases) {
    test(`${name}=${value}`, () => {
      const expected = new ConfigError(`${name}=${JSON.stringify(value)} is not valid; allowed: ${allowed}`);
      assert.throws(() => readConfig({ [name]: value }), expected);
    });
  }
});

test('does not print a password', () => {
  assert.throws(
    () => readConfig({ SERVICE_B_URL: 'http://user:secret@service-b' }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^SERVICE_B_URL="http:\/\/user:\*\*\*@service-b\/" is not valid/);
      return true;
    },
  );
});

test('refuses a URL that the stripping proxy cannot read', () => {
  assert.throws(
    () => readConfig({ FAULT: 'strip-traceparent', SERVICE_B_URL: 'https://service-b' }),
    ConfigError,
  );
});

test('a bad value at start is one line on stderr and exit code 2', async () => {
  const { code, stdout, stderr } = await runToEnd({ FAULT: 'no\nsuch\u001b[31m' });
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.equal(
    stderr,
    `service-a: FAULT="no\\nsuch\\u001b[31m" is not valid; allowed: ${faultNames.join(', ')}\n`,
  );
});
