/** Runs the demo without containers: two real services, an embedded receiver, and the assertion on the received spans. */
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Command, Option } from 'commander';
import { faultNames, faults } from 'faults';
import { checkTraces, type Result, type Span, type WireRecord } from 'propagation-check';
import { encodeOtlpLines, openOutput, readPageScript, renderHtml, UsageError } from 'propagation-check/kit';
import { callServiceA } from './assertion/call-service-a.ts';
import { defaultSettleMs, defaultSourcePatienceMs } from './assertion/check-call.ts';
import { checkCalls } from './assertion/check-calls.ts';
import { renderAssertionJson } from './assertion/render-json.ts';
import { renderAssertionText } from './assertion/render-text.ts';
import { type AssertionRun, toExitCode } from './assertion/run.ts';
import { type AssertionArguments, createAssertionCommand, readArguments } from './assertion-options.ts';
import { type DemoSystem, startDemoSystem } from './demo-system.ts';
import { expectDemo, locateExpectation } from './expect-demo.ts';
import { runScript } from './run-script.ts';
import { saveFile } from './save-file.ts';

interface Arguments extends AssertionArguments {
  readonly fault?: string;
  readonly open?: boolean;
}

const outFolder = join(import.meta.dirname, '..', 'out');
const spansPath = join(outFolder, 'demo-spans.otlp.jsonl');
const reportPath = join(outFolder, 'demo-report.html');
const headersPath = join(outFolder, 'demo-headers.jsonl');

await runScript(runDemo, 'demo');

async function runDemo(signal: AbortSignal): Promise<number> {
  const command = createAssertionCommand('demo', 'Prove trace context propagation between two real services.')
    .addOption(new Option('--fault <name>', 'break propagation on purpose').choices(faultNames).env('FAULT'))
    .option('--open', 'open the HTML report in the browser');
  const args = readArguments<Arguments>(command);
  const output = openOutput();
  const timeoutMs = args.timeout * 1000;

  const fault = args.fault ?? null;
  refuseOtherMode(fault, args.mode);
  const system = await startDemoSystem({
    mode: args.mode,
    fault,
    isTapped: fault !== null,
    env: process.env,
    signal,
  });
  try {
    const { requests, concurrency } = { ...args, ...listNeeds(command, fault) };
    const serviceA = system.serviceA.url;
    const calls = await callServiceA({ serviceA, requests, concurrency, timeoutMs, signal });

    // Stopped services have exported every span, so no more spans can arrive.
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
        readLast: async () => {
          await stopped;
          return system.receiver.readAll();
        },
        concurrency,
        signal,
      }),
      stopped,
    ]);
    const evidence = await judgeEvidence(system, run);
    // The text, the HTML report and the next command name the same cause.
    const judged = run.result === null ? run : { ...run, result: evidence.result };
    const text = args.json
      ? renderAssertionJson(judged, { jaegerUi: null })
      : renderAssertionText(judged, { ...output, jaegerUi: null });
    await output.print(text);
    const saved = await saveEvidence(evidence, fault !== null);
    if (saved.problem !== null) throw new UsageError(saved.problem);
    if (!args.json) await output.print(renderNext(saved.paths, judged));
    if (args.open === true) await openReport();
    return toExitCode(run.verdict);
  } finally {
    await system.close();
  }
}

/** Refuses the fault with the options of this command, because the fault's own message names `PROPAGATION`. */
function refuseOtherMode(fault: string | null, mode: Arguments['mode']): void {
  const modes = fault === null ? undefined : faults.get(fault)?.modes;
  if (modes === undefined || modes.includes(mode)) return;
  throw new UsageError(
    `--fault ${fault} breaks nothing with --mode ${mode}; give it --mode ${modes.join(' or ')}`,
  );
}

/** Sets the number of requests that the fault needs to show, unless the user sets it. */
function listNeeds(command: Command, fault: string | null): Partial<AssertionArguments> {
  const needed = fault === null ? undefined : faults.get(fault)?.requests;
  const isUsual = (option: string): boolean => command.getOptionValueSource(option) === 'default';
  return needed !== undefined && isUsual('requests') && isUsual('concurrency')
    ? { requests: needed, concurrency: 1 }
    : {};
}

/** The next command: break the trace, then find out why it broke. */
function renderNext([report = '', spans = '', headers]: readonly string[], run: AssertionRun): string {
  const { verdict, mode, result } = run;
  const wire = headers === undefined ? '' : ` --wire ${headers}`;
  const expectations = relative(process.cwd(), locateExpectation(mode));
  // If a statement fails where the engine only warns, the next command must exit with 1 too.
  const isWarned = result !== null && result.verdict !== 'broken';
  const next =
    verdict === 'intact'
      ? 'demo -- --fault strip-traceparent'
      : `propagation-check -- file ${spans}${wire} --expectations ${expectations}${isWarned ? ' --fail-on warning' : ''}`;
  return [
    `report     ${report}`,
    `spans      ${spans}`,
    ...(headers === undefined ? [] : [`headers    ${headers}`]),
    `next       npm run ${next}`,
    '',
  ].join('\n');
}

interface Saved {
  /** Paths relative to the working directory: the report, the spans, and the headers if they were recorded. */
  readonly paths: readonly string[];
  readonly problem: string | null;
}

interface Evidence {
  readonly spans: readonly Span[];
  readonly wire: readonly WireRecord[];
  readonly result: Result;
}

/** Judges the spans together with the headers that the tap recorded. */
async function judgeEvidence(system: DemoSystem, { mode }: AssertionRun): Promise<Evidence> {
  const spans = system.receiver.readAll();
  const wire = await system.readHeaders();
  const result = checkTraces(spans, { expectation: expectDemo(mode), headers: { wire, received: [] } });
  return { spans, wire, result };
}

async function saveEvidence({ spans, wire, result }: Evidence, hasHeaders: boolean): Promise<Saved> {
  const headers = wire.map((record) => `${JSON.stringify(record)}\n`);
  const details = { source: 'npm run demo', reason: null, notes: [], collector: null };
  const files = [
    { path: reportPath, content: renderHtml(result, details, spans, await readPageScript()) },
    { path: spansPath, content: encodeOtlpLines(spans) },
    ...(hasHeaders ? [{ path: headersPath, content: headers.join('') }] : []),
  ];
  const paths = files.map(({ path }) => relative(process.cwd(), path));
  for (const { path, content } of files) {
    const problem = await saveFile(path, content);
    if (problem !== null)
      return { paths, problem: `${relative(process.cwd(), path)} could not be written: ${problem}` };
  }
  // Headers of another run do not belong to these spans.
  if (!hasHeaders) await rm(headersPath, { force: true });
  return { paths, problem: null };
}

/** Opens the report. Without a browser the file is still there. */
async function openReport(): Promise<void> {
  const { default: open } = await import('open');
  const opener = await open(reportPath);
  opener.on('error', (error) => process.stderr.write(`the report could not be opened: ${error.message}\n`));
}
