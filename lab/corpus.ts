/** Scores the checker on labelled captures of real systems. */
import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { Command } from 'commander';
import { runScript } from 'demo';
import { checkTraces } from 'propagation-check';
import { openOutput } from 'propagation-check/kit';
import { readAnswers, toAnswer } from './benchmark/answer.ts';
import { type AnsweredCapture, renderBenchmark, writePage } from './benchmark/benchmark.ts';
import { gradeAnswers, gradeBaselines, renderTable } from './benchmark/table.ts';
import { formatMatrix } from './format-matrix.ts';
import { type Capture, corpusFolders, readCorpus } from './read-corpus.ts';
import { type Score, scoreResult } from './score-capture.ts';

interface Scored extends AnsweredCapture {
  readonly score: Score;
  readonly blindly: Score;
}

await runScript(async (signal) => {
  const command = new Command('corpus')
    .description('Score the checker on labelled captures of real systems.')
    .exitOverride()
    .argument('[folder...]', 'folders of captures (default: those of the project)')
    .option('--score <file>', 'score what another tool says instead (corpus/README.md has the format)')
    .option('--write', 'write the table of corpus/README.md anew', false)
    .addHelpText(
      'after',
      '\nExit code: 0 no false alarm and 95 % of the breaks explained, 1 not so, 2 a capture cannot be read.',
    )
    .parse();
  const { score: file, write } = command.opts<{ score?: string; write: boolean }>();
  const folders = command.args.length > 0 ? command.args : corpusFolders;
  const output = openOutput();
  if (file !== undefined) {
    const answers = readAnswers(file);
    const captures = folders.flatMap(readCorpus);
    await output.print(renderTable([gradeAnswers(answers, captures), ...gradeBaselines(captures)], captures));
    return 0;
  }
  const all: Scored[] = [];
  for (const folder of folders) {
    const scored: Scored[] = [];
    for (const capture of readCorpus(folder)) {
      scored.push(scoreCapture(capture));
      await untilNextTurn();
      signal.throwIfAborted();
    }
    await output.print(`${folder}\n\n${formatScores(scored)}\n`);
    all.push(...scored);
  }
  await output.print(renderBenchmark(all));
  if (write) writePage(all);
  return isGood(all) ? 0 : 1;
});

function scoreCapture(capture: Capture): Scored {
  const { spans, expectation, label } = capture;
  const result = checkTraces(spans, { expectation });
  const blind = checkTraces(spans);
  return {
    ...capture,
    score: scoreResult(result, label),
    blindly: scoreResult(blind, label),
    answer: toAnswer(result),
    blindAnswer: toAnswer(blind),
  };
}

/** Whether there is no false alarm, and at least 95 % of the breaks are named or undecided with the cause among the candidates. */
function isGood(all: readonly Scored[]): boolean {
  const alarms = all.filter(({ score, blindly }) => [score.grade, blindly.grade].includes('false alarm'));
  const broken = all.filter(({ label }) => label.verdict === 'broken');
  return alarms.length === 0 && countExplained(broken.map(({ score }) => score)) >= broken.length * 0.95;
}

function formatScores(scored: readonly Scored[]): string {
  const healthy = scored.filter(({ label }) => label.verdict === 'healthy');
  const broken = scored.filter(({ label }) => label.verdict === 'broken');
  const scores = broken.map(({ score }) => score);
  const explained = countExplained(scores);
  const percent = broken.length === 0 ? '-' : `${((100 * explained) / broken.length).toFixed(1)} %`;
  return `${formatMatrix(
    'truth \\ reported',
    scored.map(({ label, score }) => ({
      row: label.verdict === 'healthy' ? '(healthy)' : (label.truth ?? '?'),
      column: score.reported ?? '(nothing)',
    })),
  )}
${scored.flatMap(describeProblems).join('')}
${healthy.length} healthy: ${count(
    healthy.map(({ score }) => score),
    'false alarm',
  )} false alarms with expectations, ${count(
    healthy.map(({ blindly }) => blindly),
    'false alarm',
  )} without
${broken.length} broken: ${count(scores, 'named')} named, ${count(scores, 'undecided')} undecided with the cause among the candidates (together ${percent}), ${count(scores, 'wrong')} wrong, ${count(scores, 'missed')} missed
${broken.length} broken: edges and counts right in ${scores.filter(({ edgesRight }) => edgesRight).length}
${broken.length} broken: ${countExplained(broken.map(({ blindly }) => blindly))} named or undecided without expectations
`;
}

function describeProblems({ name, label, score, blindly }: Scored): readonly string[] {
  const problems = [
    ...(['false alarm', 'wrong', 'missed'].includes(score.grade)
      ? [`${score.grade}: ${score.reported ?? 'nothing'} instead of ${label.truth ?? 'nothing'}`]
      : []),
    ...(blindly.grade === 'false alarm' ? [`false alarm without expectation: ${blindly.reported}`] : []),
    ...(score.edgesRight ? [] : ['edges or counts differ from the label']),
  ];
  return problems.length === 0 ? [] : [`\n${name}\n  ${problems.join('\n  ')}\n`];
}

function countExplained(scores: readonly Score[]): number {
  return count(scores, 'named') + count(scores, 'undecided');
}

function count(scores: readonly Score[], grade: Score['grade']): number {
  return scores.filter((score) => score.grade === grade).length;
}
