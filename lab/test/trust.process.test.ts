/** The whole demo, asked by a caller that has a trace of its own: what the assertion says, and what the checker finds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { callServiceA, checkCalls, startDemoSystem } from 'demo';

const root = join(import.meta.dirname, '..', '..');
const limits = { timeoutMs: 60_000, settleMs: 60_000, sourcePatienceMs: 60_000, concurrency: 1 } as const;

for (const mode of ['auto', 'manual'] as const) {
  describe(`a caller from outside, ${mode}`, () => {
    it('is a link where A does not trust it, and every statement holds', async (t) => {
      const { failed, external } = await run(t, mode, {});
      assert.deepEqual(failed, []);
      assert.deepEqual(
        external.map(({ severity, server, count }) => [severity, server, count]),
        [['info', 'service-a', 2]],
      );
      assert.match(external[0]?.evidence[0]?.says ?? '', /^began a trace of its own and links to /);
    });

    it('is the parent where A trusts it, which is not what statement 4 asks for', async (t) => {
      const { failed, external } = await run(t, mode, { TRUST_INCOMING: 'always' });
      assert.deepEqual(failed, [4]);
      assert.deepEqual(
        external.map(({ severity, server, count }) => [severity, server, count]),
        [['info', 'service-a', 2]],
      );
      assert.match(external[0]?.evidence[0]?.says ?? '', /^continues a trace whose parent /);
    });
  });
}

describe('what both services need', () => {
  for (const name of [
    'boundary-propagator.ts',
    'caller.ts',
    'collector-access.ts',
    'create-propagator.ts',
    'export-spans.ts',
    'limits.ts',
    'link-caller.ts',
    'log-spans.ts',
    'span-delivery/backlog.ts',
    'span-delivery/batch.ts',
    'span-delivery/first-attempt.ts',
    'span-delivery/observe-delivery.ts',
    'span-delivery/post-batch.ts',
    'span-delivery/span-delivery.ts',
    'span-delivery/spool.ts',
    'trace-context-propagator.ts',
    'trace-state.ts',
    'traceresponse.ts',
    'trust.ts',
  ]) {
    it(`${name} is written in both alike`, () => {
      const read = (service: string) => readFileSync(join(root, service, 'src', name), 'utf8');
      assert.equal(read('service-b'), read('service-a'));
    });
  }
});

async function run(t: TestContext, mode: 'auto' | 'manual', serviceA: NodeJS.ProcessEnv) {
  const system = await startDemoSystem({
    mode,
    fault: null,
    env: process.env,
    own: { 'service-a': serviceA },
    signal: t.signal,
  });
  try {
    const { url } = system.serviceA;
    const calls = await callServiceA({ serviceA: url, requests: 2, concurrency: 1, timeoutMs: 60_000 });
    await system.stopServices();
    const noMoreSpans = AbortSignal.abort();
    const { checks, result } = await checkCalls(calls, {
      source: system.receiver,
      mode,
      noMoreSpans,
      ...limits,
    });
    const failed = checks.flatMap(({ statements }) =>
      statements.filter(({ state }) => state === 'failed').map(({ number }) => number),
    );
    const external = (result?.findings ?? []).filter(({ id }) => id === 'external-parent');
    return { failed: [...new Set(failed)], external };
  } finally {
    await system.close();
  }
}
