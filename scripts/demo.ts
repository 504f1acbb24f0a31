/** Runs the demo without containers: two real services, an embedded receiver, and the assertion on what arrived. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Option } from 'commander';
import type { Span } from 'propagation-check';
import { encodeOtlpLines, openOutput } from 'propagation-check/kit';
import { callServiceA } from './assertion/call-service-a.ts';
import { defaultSettleMs, defaultSourcePatienceMs } from './assertion/check-call.ts';
import { checkCalls } from './assertion/check-calls.ts';
import { renderAssertionJson } from './assertion/render-json.ts';
import { renderAssertionText } from './assertion/render-text.ts';
import { toExitCode } from './assertion/run.ts';
import { type AssertionArguments, createAssertionCommand } from './assertion-options.ts';
import { startDemoSystem } from './demo-system.ts';
import { runScript } from './run-script.ts';

const spansPath = join(import.meta.dirname, '..', 'out', 'demo-spans.otlp.jsonl');

await runScript(runDemo);

async function runDemo(signal: AbortSignal): Promise<number> {
  const command = createAssertionCommand('demo', 'Prove trace context propagation between two real services.')
    .addOption(new Option('--fault <name>', 'break propagation on purpose').env('FAULT'))
    .parse();
  const args = command.opts<AssertionArguments & { readonly fault?: string }>();
  const output = openOutput();
  const timeoutMs = args.timeout * 1000;

  const system = await startDemoSystem({
    mode: args.mode,
    fault: args.fault ?? null,
    env: process.env,
    signal,
  });
  try {
    const { requests, concurrency } = args;
    const serviceA = system.serviceA.url;
    const calls = await callServiceA({ serviceA, requests, concurrency, timeoutMs, signal });

    // Services that have stopped have sent every span: what is missing then is missing for good.
    const noMoreSpans = new AbortController();
    const stopped = system.stopServices().finally(() => noMoreSpans.abort());
    const [run] = await Promise.all([
      checkCalls(calls, {
        source: system.receiver,
        feed: system.receiver,
        mode: args.mode,
        timeoutMs,
        settleMs: defaultSettleMs,
        sourcePatienceMs: defaultSourcePatienceMs,
        noMoreSpans: noMoreSpans.signal,
        concurrency,
        signal,
      }),
      stopped,
    ]);
    const text = args.json
      ? renderAssertionJson(run, { jaegerUi: null })
      : renderAssertionText(run, { ...output, jaegerUi: null });
    await output.print(text);
    const path = relative(process.cwd(), spansPath);
    const problem = await saveSpans(system.receiver.readAll());
    if (problem !== null) process.stderr.write(`the spans could not be written to ${path}: ${problem}\n`);
    else if (!args.json) await output.print(`spans      ${path}\n`);
    return toExitCode(run.verdict);
  } finally {
    await system.close();
  }
}

/** Whole or not at all, because another demo may be doing the same. Answers with what went wrong, or null. */
async function saveSpans(spans: readonly Span[]): Promise<string | null> {
  const draft = `${spansPath}.${process.pid}`;
  try {
    await mkdir(join(spansPath, '..'), { recursive: true });
    await writeFile(draft, encodeOtlpLines(spans));
    await rename(draft, spansPath);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
