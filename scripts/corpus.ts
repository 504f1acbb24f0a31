import { pathToFileURL } from 'node:url';
import { checkTraces } from '../propagation-check/src/check-traces.ts';
import { formatMatrix } from './format-matrix.ts';
import { type Capture, readCorpus } from './read-corpus.ts';
import { type Score, scoreResult } from './score-capture.ts';

/** Scores the checker on labelled captures of real systems: `npm run corpus [-- FOLDER…]`. */
const given = process.argv.slice(2).map((path) => pathToFileURL(path.endsWith('/') ? path : `${path}/`));
const folders =
  given.length > 0
    ? given
    : ['corpus', 'captures'].map((name) => new URL(`../propagation-check/${name}/`, import.meta.url));

interface Scored extends Capture {
  readonly score: Score;
  readonly blindly: Score;
}

const scored = folders.flatMap((folder) => {
  const ofFolder = readCorpus(folder).map((capture) => ({
    ...capture,
    score: scoreResult(checkTraces(capture.spans, { expectation: capture.expectation }), capture.label),
    blindly: scoreResult(checkTraces(capture.spans), capture.label),
  }));
  console.log(`${folder.pathname}\n`);
  console.log(formatScores(ofFolder));
  return ofFolder;
});
process.exitCode = isGood(scored) ? 0 : 1;

/** No false alarm, and at least 95 % of the breaks named or honestly undecided. */
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
