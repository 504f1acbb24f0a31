/** Runs the demo with every fault of `faults/`, and tests that the checker names each. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { runScript } from 'demo';
import { encodeOtlpLines, mapConcurrently, openOutput, UsageError } from 'propagation-check/kit';
import { type FaultCase, faultCases } from './fault-matrix/cases.ts';
import { updateFaultTable } from './fault-matrix/document.ts';
import { NoAnswerError, type Observation } from './fault-matrix/observe.ts';
import { isRight, renderMatrix, renderMatrixJson, type ScoredCase } from './fault-matrix/report.ts';
import { scoreNothing } from './fault-matrix/score.ts';

interface Arguments {
  readonly only?: readonly string[];
  readonly json: boolean;
  readonly save?: string;
  readonly document: boolean;
}

const documentPath = join(import.meta.dirname, '..', 'docs', 'faults.md');
/** Each run is two processes that together use half a core, mostly while they start. */
const parallelRuns = 2;

await runScript(runMatrix);

async function runMatrix(signal: AbortSignal): Promise<number> {
  const args = new Command('faults')
    .description('Run the demo with every fault, and in every healthy variant, and check what is found.')
    .exitOverride()
    .allowExcessArguments(false)
    .option('--only <name...>', 'faults and variants to run (default: all)')
    .option('--json', 'print the result as JSON', false)
    .option('--save <folder>', 'keep the spans and the records of the taps of every run')
    .option('--document', 'run nothing, and write the table in docs/faults.md anew', false)
    .addHelpText('after', '\nExit code: 0 every row is right, 1 a row is not, 2 it could not be run.')
    .parse()
    .opts<Arguments>();
  const output = openOutput();
  if (args.document) {
    await writeFile(documentPath, updateFaultTable(await readFile(documentPath, 'utf8')));
    return 0;
  }
  const cases = selectCases(args.only);

  const scored = await mapConcurrently(cases, parallelRuns, (one) => runCase(one, args.save, signal));
  await output.print(args.json ? renderMatrixJson(scored) : renderMatrix(scored));
  return scored.every(isRight) ? 0 : 1;
}

async function runCase(one: FaultCase, save: string | undefined, signal: AbortSignal): Promise<ScoredCase> {
  const { name, mode, isHealthy } = one;
  try {
    const observation = await one.run(signal);
    if (save !== undefined) await saveObservation(join(save, `${name}-${mode}`), observation);
    return { name, mode, isHealthy, scores: one.check(observation) };
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return { name, mode, isHealthy, scores: scoreNothing(error.message) };
  }
}

function selectCases(only: readonly string[] | undefined): readonly FaultCase[] {
  if (only === undefined) return faultCases;
  const names = new Set(faultCases.map(({ name }) => name));
  const unknown = only.find((name) => !names.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `error: --only ${JSON.stringify(unknown)}: no such fault or variant; there are ${[...names].join(', ')}`,
    );
  }
  return faultCases.filter(({ name }) => only.includes(name));
}

async function saveObservation(folder: string, { spans, wire }: Observation): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'spans.otlp.jsonl'), encodeOtlpLines(spans));
  await writeFile(join(folder, 'wire.jsonl'), wire.map((record) => `${JSON.stringify(record)}\n`).join(''));
}
