import { pathToFileURL } from 'node:url';
import { checkTraces } from '../propagation-check/src/check-traces.ts';
import { formatMatrix } from './format-matrix.ts';
import { readCorpus } from './read-corpus.ts';
import { type Score, scoreResult } from './score-capture.ts';

/** Scores the checker on labelled captures: `npm run corpus [-- FOLDER]`. */
const folder = process.argv[2];
const corpus = readCorpus(
  folder === undefined
    ? new URL('../propagation-check/corpus/', import.meta.url)
    : pathToFileURL(folder.endsWith('/') ? folder : `${folder}/`),
);

const scored = corpus.map((capture) => ({
  ...capture,
  score: scoreResult(checkTraces(capture.spans, { expectation: capture.expectation }), capture.label),
  blindly: scoreResult(checkTraces(capture.spans), capture.label),
}));
const healthy = scored.filter(({ label }) => label.verdict === 'healthy');
const broken = scored.filter(({ label }) => label.verdict === 'broken');
const count = (scores: readonly Score[], grade: Score['grade']): number =>
  scores.filter((score) => score.grade === grade).length;
const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;

console.log(
  formatMatrix(
    'truth \\ reported',
    scored.map(({ label, score }) => ({
      row: label.verdict === 'healthy' ? '(healthy)' : (label.truth ?? '?'),
      column: score.reported ?? '(nothing)',
    })),
  ),
);

for (const { name, label, score, blindly } of scored) {
  const problems = [
    ...(['false alarm', 'wrong', 'missed'].includes(score.grade)
      ? [`${score.grade}: ${score.reported ?? 'nothing'} instead of ${label.truth ?? 'nothing'}`]
      : []),
    ...(blindly.grade === 'false alarm' ? [`false alarm without expectation: ${blindly.reported}`] : []),
    ...(score.edgesRight ? [] : ['edges or counts differ from the label']),
  ];
  if (problems.length > 0) console.log(`\n${name}\n  ${problems.join('\n  ')}`);
}

const scores = broken.map(({ score }) => score);
const good = count(scores, 'named') + count(scores, 'undecided');
const alarms = (key: 'score' | 'blindly'): number =>
  count(
    healthy.map((capture) => capture[key]),
    'false alarm',
  );
console.log(`
${healthy.length} healthy: ${alarms('score')} false alarms with expectations, ${alarms('blindly')} without
${broken.length} broken: ${count(scores, 'named')} named, ${count(scores, 'undecided')} undecided with the cause among the candidates (together ${percent(good, broken.length)}), ${count(scores, 'wrong')} wrong, ${count(scores, 'missed')} missed
${broken.length} broken: edges and counts right in ${scores.filter((score) => score.edgesRight).length}
without expectations: ${
  count(
    broken.map((capture) => capture.blindly),
    'named',
  ) +
  count(
    broken.map((capture) => capture.blindly),
    'undecided',
  )
} of ${broken.length} broken seen`);
process.exitCode = alarms('score') + alarms('blindly') > 0 || good < broken.length * 0.95 ? 1 : 0;
