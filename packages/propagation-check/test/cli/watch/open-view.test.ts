import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findFreePort } from '../../free-ports.ts';
import { executeCli } from '../run-cli.ts';
import { startTraceStore } from '../trace-store.ts';

const ofWeb = ['--service', 'web'];

suite('the message of a watch without spans', () => {
  for (const [what, args, expected] of [
    [
      'of a receiver',
      [],
      'no span arrived in NAME within 0.001 s; give it time with --wait, and set in the services OTEL_EXPORTER_OTLP_ENDPOINT=URL, which takes gRPC and HTTP',
    ],
    [
      'of a receiver and a service',
      ofWeb,
      'no span of service "web" arrived in NAME within 0.001 s; give it time with --wait, and set in the services OTEL_EXPORTER_OTLP_ENDPOINT=URL, which takes gRPC and HTTP, or check its spelling (service.name)',
    ],
  ] as const)
    test(what, async () => {
      const port = await findFreePort();
      const source = `otlp=127.0.0.1:${port}`;
      const times = ['--wait', '1ms', '--settle', '1ms'];
      const { code, stderr } = await executeCli('watch', '--source', source, '--once', ...times, ...args);
      assert.equal(code, 2);
      const reason = expected.replace('NAME', source).replace('URL', `http://127.0.0.1:${port}`);
      assert.ok(stderr.includes(`cannot tell: ${reason}\n`), stderr);
    });

  for (const [what, args, expected] of [
    ['of Jaeger', [], 'NAME has no trace of the last 60 s; look further back with --since'],
    [
      'of Jaeger and a service',
      [...ofWeb, '--since', '90s'],
      'NAME has no trace of service "web" of the last 90 s; look further back with --since, or check its spelling (service.name)',
    ],
  ] as const)
    test(what, async (t) => {
      const { source } = await startTraceStore(t);
      const { code, stderr } = await executeCli('watch', '--source', source, '--once', ...args);
      assert.equal(code, 2);
      assert.ok(stderr.includes(`cannot tell: ${expected.replace('NAME', source)}\n`), stderr);
    });
});
