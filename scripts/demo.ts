/** Runs the demo without containers: two real services, an embedded receiver, and the assertion on what arrived. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Option } from 'commander';
import { faultNames } from 'faults';
import { encodeOtlpLines, openOutput } from 'propagation-check/kit';
import { callServiceA } from './assertion/call-service-a.ts';
import { defaultSettleMs, defaultSourcePatienceMs } from './assertion/check-call.ts';
import { checkCalls } from './assertion/check-calls.ts';
import { renderAssertionJson } from './assertion/render-json.ts';
import { renderAssertionText } from './assertion/render-text.ts';
import { type AssertionRun, toExitCode } from './assertion/run.ts';
import { type AssertionArguments, createAssertionCommand } from './assertion-options.ts';
import { type DemoSystem, startDemoSystem } from './demo-system.ts';
import { locateExpectation } from './expect-demo.ts';
import { runScript } from './run-script.ts';

const outFolder = join(import.meta.dirname, '..', 'out');
const spansPath = join(outFolder, 'demo-spans.otlp.jsonl');
const headersPath = join(outFolder, 'demo-headers.jsonl');

await runScript(runDemo);

async function runDemo(signal: AbortSignal): Promise<number> {
  const command = createAssertionCommand('demo', 'Prove trace context propagation between two real services.')
    .addOption(new Option('--fault <name>', 'break propagation on purpose').choices(faultNames).env('FAULT'))
    .parse();
  const args = command.opts<AssertionArguments & { readonly fault?: string }>();
  const output = openOutput();
  const timeoutMs = args.timeout * 1000;

  const fault = args.fault ?? null;
  const system = await startDemoSystem({
    mode: args.mode,
    fault,
    isTapped: fault !== null,
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
    const saved = await saveEvidence(system, fault !== null);
    if (saved.problem !== null) process.stderr.write(`${saved.problem}\n`);
    else if (!args.json) await output.print(renderNext(saved.paths, run));
    return toExitCode(run.verdict);
  } finally {
    await system.close();
  }
}

/** The next command: see the trace break, then learn why. */
function renderNext([spans = '', headers]: readonly string[], { verdict, mode }: AssertionRun): string {
  const wire = headers === undefined ? '' : ` --wire ${headers}`;
  const expectations = relative(process.cwd(), locateExpectation(mode));
  const next =
    verdict === 'intact'
      ? 'demo -- --fault strip-traceparent'
      : `propagation-check -- file ${spans}${wire} --expectations ${expectations}`;
  return [
    `spans      ${spans}`,
    ...(headers === undefined ? [] : [`headers    ${headers}`]),
    `next       npm run ${next}`,
    '',
  ].join('\n');
}

interface Saved {
  /** As seen from here: the spans, and where they were recorded the headers. */
  readonly paths: readonly string[];
  readonly problem: string | null;
}

async function saveEvidence(system: DemoSystem, hasHeaders: boolean): Promise<Saved> {
  const headers = (await system.readHeaders()).map((record) => `${JSON.stringify(record)}\n`);
  const files = [
    { path: spansPath, content: encodeOtlpLines(system.receiver.readAll()) },
    ...(hasHeaders ? [{ path: headersPath, content: headers.join('') }] : []),
  ];
  const paths = files.map(({ path }) => relative(process.cwd(), path));
  for (const { path, content } of files) {
    const problem = await save(path, content);
    if (problem !== null)
      return { paths, problem: `${relative(process.cwd(), path)} could not be written: ${problem}` };
  }
  return { paths, problem: null };
}

/** Whole or not at all, because another demo may be doing the same. Answers with what went wrong, or null. */
async function save(path: string, content: string): Promise<string | null> {
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(outFolder, { recursive: true });
    await writeFile(draft, content);
    await rename(draft, path);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
