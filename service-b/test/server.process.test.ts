/** Real service B with TLS, health check and stop, as in Compose. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { findFreePort } from 'otlp-durable-exporter/test';
import { issueTlsFiles, startService } from 'service-kit/testing';

test('over TLS it answers callers with a certificate and its health check, and stops despite open connections', async () => {
  await using tls = await issueTlsFiles();
  await using service = await startService('service-b', {
    ...tls.env,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await findFreePort()}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  });
  const { port } = new URL(service.url);
  const { authority: ca, certificate: cert, key } = tls.credentials;
  const agent = new Agent({ keepAlive: true });
  const [response] = await once(get(`https://localhost:${port}/work`, { ca, cert, key, agent }), 'response');
  assert.equal(JSON.parse(await text(response)).service, 'service-b');
  await assert.rejects(once(get(`https://localhost:${port}/work`, { ca }), 'response'));

  assert.equal(await checkHealth({ ...tls.env, PORT: port }), 0);
  assert.equal(await checkHealth({ PORT: port }), 1);

  // A client keeps its connection open, and the Collector is unavailable.
  const ended = once(service.process, 'exit', { signal: AbortSignal.timeout(60_000) });
  service.process.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  agent.destroy();
  const late = service.lines.filter(({ msg }) => String(msg).startsWith('not all spans are delivered'));
  assert.equal(late.length, 1);
  assert.equal(await checkHealth({ ...tls.env, PORT: port }), 1);
});

/** Runs the health check. @returns the exit code */
function checkHealth(env: NodeJS.ProcessEnv): Promise<number | null> {
  return new Promise((resolve) => {
    const script = join(import.meta.dirname, '..', '..', 'deploy', 'check-health.ts');
    const child = execFile(process.execPath, [script], { env }, () => resolve(child.exitCode));
  });
}
