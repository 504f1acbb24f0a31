/** The whole demo with a caller that has its own trace: the result of the assertion, and the findings of the checker. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { callServiceA, checkCalls, startDemoSystem } from 'demo';

const limits = { timeoutMs: 60_000, settleMs: 60_000, sourcePatienceMs: 60_000, concurrency: 1 } as const;

for (const mode of ['auto', 'manual'] as const) {
  describe(`a caller from outside, ${mode}`, () => {
    it('is a link when A does not trust it, and every statement holds', async (t) => {
      const { failed, external } = await run(t, mode, {});
      assert.deepEqual(failed, []);
      assert.deepEqual(
        external.map(({ severity, server, count }) => [severity, server, count]),
        [['info', 'service-a', 2]],
      );
      assert.match(
        external[0]?.evidence[0]?.says ?? '',
        /^links to its caller, whose spans are not here, and began a trace of its own /,
      );
    });

    it('is the parent when A trusts it, so statement 4 fails', async (t) => {
      const { failed, external } = await run(t, mode, { TRUST_INCOMING: 'always' });
      assert.deepEqual(failed, [4]);
      assert.deepEqual(
        external.map(({ severity, server, count }) => [severity, server, count]),
        [['info', 'service-a', 2]],
      );
      assert.match(
        external[0]?.evidence[0]?.says ?? '',
        /^continues the trace of its caller, whose spans are not here /,
      );
    });
  });
}

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
