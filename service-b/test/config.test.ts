import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, readConfig } from '../src/config.ts';
import { type Fault, faultNames, faults } from '../src/fault.ts';
import { runToEnd } from './support/run-to-end.ts';

test('has defaults', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 8082,
    tls: null,
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
  assert.throws(() => readConfig({ FAULT: 'late-initialisation', PROPAGATION: 'manual' }), {
    name: 'ConfigError',
    message: 'FAULT=late-initialisation breaks nothing with PROPAGATION=manual; set PROPAGATION=auto',
  });
});

test('does not export where the standard variable says so', () => {
  assert.equal(readConfig({ OTEL_TRACES_EXPORTER: 'none' }).spanExport, null);
});

describe('refuses', () => {
  const cases = [
    ['PORT', '65536', 'an integer from 0 to 65535'],
    ['PORT', '80a', 'an integer from 0 to 65535'],
    ['PORT', '-1', 'an integer from 0 to 65535'],
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

test('a bad value at start is one line on stderr and exit code 2', async () => {
  const { code, stdout, stderr } = await runToEnd({ FAULT: 'no\nsuch\u001b[31m' });
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.equal(
    stderr,
    `service-b: FAULT="no\\nsuch\\u001b[31m" is not valid; allowed: ${faultNames.join(', ')}\n`,
  );
});
