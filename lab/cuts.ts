/**
 * Cuts every capture of the corpus between two exports, at either end. Counts the cuts of healthy captures that raise an error, and the cuts
 * of broken captures in which the break is still found.
 */
import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { Command } from 'commander';
import { runScript } from 'demo';
import { checkTraces, type Span } from 'propagation-check';
import { openOutput } from 'propagation-check/kit';
import { type Capture, corpusFolders, readCorpus } from './read-corpus.ts';
import { type Grade, scoreResult } from './score-capture.ts';

/** Maximum number of cuts of a long capture, evenly spread. */
const mostPlaces = 40;

interface Graded {
  readonly grade: Grade;
  /** Whether an error has the confidence `certain`. */
  readonly isCertain: boolean;
}

await runScript(async (signal) => {
  const folders = new Command('cuts')
    .description('Cut every capture at either end: healthy ones raise no error, broken ones stay found.')
    .exitOverride()
    .argument('[folder...]', 'folders of captures (default: those of the project)')
    .addHelpText(
      'after',
      '\nExit code: 0 no cut of a healthy capture raises an error, 1 some do, 2 a capture cannot be read.',
    )
    .parse().args;
  const output = openOutput();
  const [all, halves]: [Graded[], Graded[]] = [[], []];
  let [cuts, alarms] = [0, 0];
  for (const capture of (folders.length > 0 ? folders : corpusFolders).flatMap(readCorpus)) {
    await untilNextTurn();
    signal.throwIfAborted();
    if (capture.label.verdict === 'broken') {
      if (!isFound(gradeSpans(capture, capture.spans))) continue;
      for (const spans of cutCapture(capture)) {
        const graded = gradeSpans(capture, spans);
        all.push(graded);
        if (spans.length * 2 >= capture.spans.length) halves.push(graded);
      }
      continue;
    }
    const results = cutCapture(capture).map(listErrors);
    const errors = results.filter((found) => found.length > 0);
    cuts += results.length;
    alarms += errors.length;
    const names = [...new Set(errors.flat())].sort();
    if (errors.length > 0)
      await output.print(`${capture.name}  ${errors.length} of ${results.length}: ${names.join(', ')}\n`);
  }
  await output.print(`${alarms} of ${cuts} cuts of healthy captures raise an error
Of the cuts of broken captures that are found as a whole, with expectations:
${describe('all', all)}
${describe('those that keep half of the spans', halves)}
`);
  return alarms === 0 ? 0 : 1;
});

function cutCapture({ batches }: Capture): readonly (readonly Span[])[] {
  const step = Math.max(1, Math.floor(batches.length / mostPlaces));
  const places = batches.map((_, at) => at).filter((at) => at > 0 && at % step === 0);
  return places.flatMap((at) => [batches.slice(0, at), batches.slice(at)]).map((part) => part.flat());
}

function listErrors(spans: readonly Span[]): readonly string[] {
  return checkTraces(spans)
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ id, client, server }) => `${id} ${client} -> ${server}`);
}

/** With expectations, because a person who looks for a break knows which edges should be there. */
function gradeSpans({ expectation, label }: Capture, spans: readonly Span[]): Graded {
  const result = checkTraces(spans, { expectation });
  const isCertain = result.findings.some(
    ({ severity, confidence }) => severity === 'error' && confidence === 'certain',
  );
  return { grade: scoreResult(result, label).grade, isCertain };
}

function isFound({ grade }: Graded): boolean {
  return grade === 'named' || grade === 'undecided';
}

/** A service of the expectation may have no spans in a cut. Its finding is then another, undecided one. */
function describe(which: string, cuts: readonly Graded[]): string {
  const found = cuts.filter(isFound).length;
  const percent = cuts.length === 0 ? '-' : `${((100 * found) / cuts.length).toFixed(1)} %`;
  const other = cuts.filter(({ grade }) => grade === 'wrong');
  const certain = other.filter(({ isCertain }) => isCertain).length;
  const missed = cuts.filter(({ grade }) => grade === 'missed').length;
  return (
    `  ${which}: ${found} of ${cuts.length} found (${percent}), ${other.length} with another finding, ` +
    `${certain} of these certain, ${missed} without any`
  );
}
