import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type Credentials, issueCertificates } from 'stack-init';
import { openRaw } from './support/raw-client.ts';
import { startService } from './support/start-service.ts';

const hour = 3_600_000;
const files = { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' } as const;

test('lets in only callers with a certificate of its authority, and reads renewed files while it runs', async (t) => {
  const stack = await makeStack(t);
  await using service = await startService(stack.env);
  const port = new URL(service.url).port;
  assert.equal(await stack.ask(port, stack.credentials), 200);
  const other = await issue();
  await assert.rejects(stack.ask(port, { authority: stack.credentials.authority }));
  await assert.rejects(stack.ask(port, { ...other, authority: stack.credentials.authority }));
  await stack.write(other);
  assert.equal(await stack.ask(port, other), 200);
  await assert.rejects(stack.ask(port, stack.credentials));
  await service.stop();
});

test('a caller that is slow with its handshake is closed, as one that is slow with its request', async (t) => {
  const stack = await makeStack(t);
  await using service = await startService({ ...stack.env, REQUEST_TIMEOUT_MS: '500' });
  // The beginning of a handshake: a record of 256 bytes is said to follow.
  for (const bytes of ['', '\u0016\u0003\u0001\u0001\u0000']) {
    using client = await openRaw(service.url, bytes);
    await client.closed;
  }
  assert.equal(await stack.ask(new URL(service.url).port, stack.credentials), 200);
});

test('connections have a bound with TLS too, and the one that has been idle longest makes room', async (t) => {
  const stack = await makeStack(t);
  await using service = await startService({ ...stack.env, MAX_CONNECTIONS: '5' });
  const { port } = new URL(service.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  assert.equal(await stack.ask(port, stack.credentials, agent), 200);
  const [kept] = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  assert.ok(kept);
  const closed = once(kept, 'close');
  const clients = await Promise.all(Array.from({ length: 10 }, () => openRaw(service.url, '')));
  t.after(() => clients.forEach((client) => void client[Symbol.dispose]()));
  // It is idle, and the oldest.
  await closed;
  await Promise.all(clients.slice(0, 5).map((client) => client.closed));
  assert.equal(await stack.ask(port, stack.credentials), 200);
});

test('its health check shows its own certificate', async (t) => {
  const stack = await makeStack(t);
  await using service = await startService(stack.env);
  const port = new URL(service.url).port;
  assert.equal(await checkHealth({ ...stack.env, PORT: port }), 0);
  assert.equal(await checkHealth({ PORT: port }), 1);
  await service.stop();
  assert.equal(await checkHealth({ ...stack.env, PORT: port }), 1);
});

test('its health check needs no certificate without TLS', async () => {
  await using service = await startService({});
  assert.equal(await checkHealth({ PORT: new URL(service.url).port }), 0);
});

async function makeStack(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const write = async (next: Credentials) => {
    for (const part of ['authority', 'certificate', 'key'] as const)
      await writeFile(join(folder, files[part]), next[part]);
  };
  const credentials = await issue();
  await write(credentials);
  return {
    credentials,
    write,
    env: {
      TLS_AUTHORITY_FILE: join(folder, files.authority),
      TLS_CERTIFICATE_FILE: join(folder, files.certificate),
      TLS_KEY_FILE: join(folder, files.key),
    },
    /** The status of `GET /work`. */
    ask: async (
      port: string,
      { authority, certificate, key }: Partial<Credentials>,
      agent: Agent | false = false,
    ) => {
      const asked = get(`https://localhost:${port}/work`, {
        ca: authority,
        cert: certificate,
        key,
        agent,
      });
      const [answer] = await once(asked, 'response');
      await text(answer);
      return answer.statusCode;
    },
  };
}

async function issue(): Promise<Credentials> {
  const issued = await issueCertificates([{ name: 'service-b', usages: ['server', 'client'] }], hour);
  return issued.get('service-b') ?? assert.fail('no certificate');
}

/** The exit code. */
function checkHealth(env: NodeJS.ProcessEnv): Promise<number | null> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(import.meta.dirname, '..', 'src', 'check-health.ts')],
      { env },
      () => resolve(child.exitCode),
    );
  });
}
