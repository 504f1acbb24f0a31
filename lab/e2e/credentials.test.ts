/** Access with a wrong token and with foreign, absent or expired certificates, and the spans that wait meanwhile. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { callServiceA, checkCalls } from 'demo';
import { openSource } from 'propagation-check';
import { type Credentials, issueCertificates } from 'stack-init';
import { z } from 'zod';
import {
  type ComposeStack,
  createStack,
  expectSuccess,
  findObstacle,
  type Variables,
} from './compose-stack.ts';

const obstacle = await findObstacle();
const minute = 60_000;
const hour = 60 * minute;
const requests = 20;
/** The Collector and Jaeger check for renewed files every 10 s. */
const deadlineMs = minute;
const users = { 'service-a': 1000, 'service-b': 1000, 'otel-collector': 10001, jaeger: 10001 } as const;

type Service = keyof typeof users;
type Calls = Awaited<ReturnType<typeof callServiceA>>;

if (obstacle !== null && process.env.CI === 'true') {
  it('the real stack can run', () => assert.fail(obstacle));
}

describe('the token', { skip: obstacle ?? false, timeout: 10 * minute }, () => {
  const stackOf = useStack({});

  it('is asked for: with a wrong one the log says so, and the spans arrive once it is right', async () => {
    const stack = stackOf();
    await writeCredentials(stack, 'service-a', { token: 'x'.repeat(43) });
    const calls = await send(stack);
    await waitForLog(
      stack,
      /the Collector does not accept the token \(401\); put the Collector's into OTLP_TOKEN_FILE=\/run\/credentials\/token/,
    );
    assert.equal(await countSpansOfA(stack, readTraceIds(calls)), 0);
    expectSuccess(await stack.compose(['up', '--no-build', 'init']));
    await assertDelivered(stack, calls);
  });

  it('can be the user’s own, while the stack runs', async (t) => {
    const stack = stackOf();
    const folder = await mkdtemp(join(tmpdir(), 'token-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'token');
    const token = 'a-token-of-the-user-0123456789';
    await writeFile(file, `${token}\n`, { mode: 0o600 });
    expectSuccess(await stack.compose(['up', '--no-build', 'init'], { OTLP_TOKEN_FILE: file }));
    const held = await stack.compose(['exec', '--no-TTY', 'service-a', 'cat', '/run/credentials/token']);
    assert.equal(held.stdout, token);
    await assertDelivered(stack, await send(stack));
  });
});

describe('TLS', { skip: obstacle ?? false, timeout: 15 * minute }, () => {
  const stackOf = useStack({ TLS: 'on' });

  it('works by the one command with one variable', async () => {
    const ran = await stackOf().compose(['run', '--rm', 'assert']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^INTACT {2}/m);
  });

  it('lets in only those with a certificate of the same authority', async () => {
    const stack = stackOf();
    const read = async (file: string) =>
      expectSuccess(await stack.compose(['exec', '--no-TTY', 'service-a', 'cat', `/run/credentials/${file}`]))
        .stdout;
    const [ca, cert, key] = await Promise.all(['authority.pem', 'certificate.pem', 'key.pem'].map(read));
    const foreign = await issueFor('service-a', hour);
    const post = async (from: Service, url: string, credentials: object) => {
      const args = [url, JSON.stringify(credentials)];
      const ran = await stack.probe(from, { namespace: 'network', script: 'post-over-tls.ts', args });
      const said = JSON.parse(expectSuccess(ran).stdout);
      // The server may or may not send a TLS alert before it closes the connection.
      return /^(?:ERR_SSL_\w*ALERT\w*|ECONNRESET|EPIPE)$/.test(said) ? 'ended' : said;
    };
    const answers = await Promise.all(
      (
        [
          ['service-a', 'service-b', 8082],
          ['service-a', 'otel-collector', 4318],
          ['otel-collector', 'jaeger', 4318],
        ] as const
      ).map(async ([from, to, port]) => ({
        to,
        plain: await post(from, `http://${to}:${port}/v1/traces`, {}),
        absent: await post(from, `https://${to}:${port}/v1/traces`, { ca }),
        foreign: await post(from, `https://${to}:${port}/v1/traces`, {
          ca,
          cert: foreign.certificate,
          key: foreign.key,
        }),
        right: await post(from, `https://${to}:${port}/v1/traces`, { ca, cert, key }),
        toOther: await post(from, `https://${to}:${port}/v1/traces`, { ca: foreign.authority, cert, key }),
      })),
    );
    const refused = {
      plain: 400,
      absent: 'ended',
      foreign: 'ended',
      toOther: 'CERT_SIGNATURE_FAILURE',
    };
    assert.deepEqual(answers, [
      // 404: the caller is accepted, the path does not exist.
      { to: 'service-b', ...refused, plain: 'ended', right: 404 },
      // 401: a certificate does not replace the token.
      { to: 'otel-collector', ...refused, right: 401 },
      { to: 'jaeger', ...refused, right: 200 },
    ]);
  });

  it('refuses a foreign certificate with a clear line, and the spans arrive once it is renewed', async () => {
    const stack = stackOf();
    const { certificate, key } = await issueFor('service-a', hour);
    await writeCredentials(stack, 'service-a', { 'certificate.pem': certificate, 'key.pem': key });
    // An open connection keeps its old certificate, so the service restarts.
    expectSuccess(await stack.compose(['restart', 'service-a']));
    const traceIds = await sendInVain(stack);
    await waitForLog(
      stack,
      /the Collector does not accept this service's certificate \(ERR_SSL_\w+\); renew/,
    );
    assert.equal(await countSpansOfA(stack, traceIds), 0);
    expectSuccess(await stack.compose(['up', '--no-build', 'init']));
    await assertOwnSpansDelivered(stack, traceIds);
    await assertDelivered(stack, await send(stack));
  });

  it('logs that certificates have expired, and goes on with renewed ones', async () => {
    const stack = stackOf();
    const names = ['service-a', 'service-b', 'otel-collector', 'jaeger'] as const;
    const expired = await issueCertificates(
      names.map((name) => ({ name, usages: ['server', 'client'] })),
      -1_000,
    );
    for (const name of names) {
      const { authority, certificate, key } = expired.get(name) ?? assert.fail(name);
      await writeCredentials(stack, name, {
        'authority.pem': authority,
        'certificate.pem': certificate,
        'key.pem': key,
      });
    }
    expectSuccess(await stack.compose(['restart', 'otel-collector', 'service-a']));
    const traceIds = await sendInVain(stack);
    await waitForLog(
      stack,
      /the Collector's certificate is not accepted \(certificate has expired\); renew it/,
    );
    assert.equal(await countSpansOfA(stack, traceIds), 0);
    expectSuccess(await stack.compose(['up', '--no-build', 'init']));
    // The Collector reads the certificate authority only at its start.
    expectSuccess(await stack.compose(['restart', 'otel-collector']));
    await assertOwnSpansDelivered(stack, traceIds);
    await assertDelivered(stack, await send(stack));
  });
});

it('an unknown value of TLS starts nothing', { skip: obstacle ?? false }, async () => {
  const stack = await createStack('auto', { TLS: 'off' });
  const ran = await stack.compose(['up', '--no-build', 'init']);
  assert.notEqual(ran.code, 0);
  assert.match(ran.stderr, /compose\.tls-off\.yaml: no such file/);
});

function useStack(variables: Variables): () => ComposeStack {
  let stack: ComposeStack;
  before(
    async () => {
      stack = await createStack('auto', variables);
      expectSuccess(await stack.compose(['build']));
      expectSuccess(await stack.compose(['up', '--detach', '--wait', '--no-build']));
    },
    { timeout: 10 * minute },
  );
  after(() => stack.close(), { timeout: 2 * minute });
  return () => stack;
}

async function issueFor(name: Service, lifetimeMillis: number): Promise<Credentials> {
  const issued = await issueCertificates([{ name, usages: ['server', 'client'] }], lifetimeMillis);
  return issued.get(name) ?? assert.fail(name);
}

async function writeCredentials(
  stack: ComposeStack,
  service: Service,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const volume = `${service.replace('otel-', '')}-credentials`;
  expectSuccess(await stack.writeVolume(volume, users[service], files));
}

/** Sends requests; resolves when every request has been answered. */
async function send(stack: ComposeStack): Promise<Calls> {
  await waitUntilHealthy(stack);
  const { serviceA } = stack;
  const calls = await callServiceA({ serviceA, requests, concurrency: 4, timeoutMs: minute });
  assert.deepEqual(
    calls.flatMap(({ silence }) => silence ?? []),
    [],
  );
  return calls;
}

async function waitUntilHealthy({ serviceA }: ComposeStack): Promise<void> {
  await poll(async () => {
    const answer = await fetch(new URL('/healthz', serviceA)).catch(() => null);
    await answer?.text();
    return answer?.ok === true;
  }, `${serviceA} is not healthy`);
}

async function waitForLog(stack: ComposeStack, line: RegExp): Promise<void> {
  await poll(async () => {
    const { stdout } = await stack.compose(['logs', '--no-log-prefix', '--no-color', 'service-a']);
    return line.test(stdout);
  }, `service A's log has no ${line}`);
}

/** Sends requests for which service B refuses service A's call, so that only service A has spans. @returns The trace ids. */
async function sendInVain(stack: ComposeStack): Promise<readonly string[]> {
  await waitUntilHealthy(stack);
  const calls = Array.from({ length: requests }, async () => {
    const response = await fetch(new URL('/call-b', stack.serviceA));
    const { error, trace_id } = refusalSchema.parse(await response.json());
    assert.deepEqual([response.status, error], [502, 'service_b_unreachable']);
    return trace_id;
  });
  return Promise.all(calls);
}

const refusalSchema = z.object({ error: z.string(), trace_id: z.string() });

function readTraceIds(calls: Calls): readonly string[] {
  return calls.map(({ answer }) => answer?.service_a_trace_id ?? assert.fail('no trace'));
}

/** Counts the SERVER and CLIENT spans of service A in Jaeger. */
async function countSpansOfA(stack: ComposeStack, traceIds: readonly string[]): Promise<number> {
  const source = await openSource(`jaeger=${stack.jaeger.href}`);
  try {
    const traces = await Promise.all(traceIds.map((traceId) => source.readTrace(traceId)));
    return traces.flat().filter(({ serviceName, kind }) => serviceName === 'service-a' && kind !== 'INTERNAL')
      .length;
  } finally {
    await source.close();
  }
}

async function assertOwnSpansDelivered(stack: ComposeStack, traceIds: readonly string[]): Promise<void> {
  const expected = 2 * traceIds.length;
  await poll(
    async () => (await countSpansOfA(stack, traceIds)) === expected,
    `not ${expected} spans of service A`,
  );
}

async function assertDelivered(stack: ComposeStack, calls: Calls): Promise<void> {
  const source = await openSource(`jaeger=${stack.jaeger.href}`);
  const run = await checkCalls(calls, {
    source,
    mode: 'auto',
    timeoutMs: deadlineMs,
    settleMs: deadlineMs,
    sourcePatienceMs: deadlineMs,
    concurrency: requests,
  }).finally(() => source.close());
  assert.equal(run.checks.length, requests);
  assert.equal(run.verdict, 'intact');
}

async function poll(isDone: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    if (await isDone()) return;
    await delay(250);
  }
  assert.fail(otherwise);
}
