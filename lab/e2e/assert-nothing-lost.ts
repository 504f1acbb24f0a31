import assert from 'node:assert/strict';
import { type Answer, checkCalls, demoParties, findRoles, type Mode } from 'demo';
import { openSource } from 'propagation-check';
import type { ComposeStack } from './compose-stack.ts';

/**
 * Asserts that Jaeger has the trace of every answered request, that every statement holds for it, and that it has each of its three spans once.
 * @param patienceMs How long the spans may take to arrive.
 */
export async function assertNothingLost(
  stack: ComposeStack,
  answers: readonly Answer[],
  { mode, patienceMs }: { readonly mode: Mode; readonly patienceMs: number },
): Promise<void> {
  const source = await openSource(`jaeger=${stack.jaeger.href}`);
  const calls = answers.map((answer) => ({
    answer,
    silence: null,
    sentAt: Date.now(),
    answeredAt: Date.now(),
  }));
  const run = await checkCalls(calls, {
    source,
    mode,
    timeoutMs: patienceMs,
    settleMs: patienceMs,
    sourcePatienceMs: patienceMs,
    concurrency: 8,
  }).finally(() => source.close());
  const lost = run.checks.filter(({ verdict }) => verdict !== 'intact');
  assert.deepEqual(
    lost.map(({ answer, statements }) => [
      answer?.service_a_trace_id,
      statements.filter(({ state }) => state === 'failed').map(({ number }) => number),
    ]),
    [],
  );
  const isWhole = run.checks.every(({ answer, spans }) => {
    if (answer === null) return false;
    const { serverOfA, clientToB, serverOfB } = findRoles(answer, spans, demoParties);
    return serverOfA.length === 1 && clientToB.length === 1 && serverOfB.length === 1;
  });
  assert.equal(isWhole, true);
}
