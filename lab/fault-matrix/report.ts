import type { Mode } from 'demo';
import type { Grade, RunScores, Score } from './score.ts';

/** One row of the matrix. */
export interface ScoredCase {
  readonly name: string;
  readonly mode: Mode;
  readonly isHealthy: boolean;
  readonly scores: RunScores;
}

const nothing = '(nothing)';
const evidenceNames = {
  fromSpans: 'from spans alone',
  fromTap: 'with a tap',
  blindly: 'without expectation',
} as const;

type Evidence = keyof typeof evidenceNames;

export function isRight({ scores }: ScoredCase): boolean {
  return listProblems(scores).length === 0;
}

export function listProblems(scores: RunScores): readonly string[] {
  return [
    ...scores.statements.map((problem) => `assertion: ${problem}`),
    ...(['fromSpans', 'fromTap', 'blindly'] as const).flatMap((key) =>
      (scores[key]?.problems ?? []).map((problem) => `${evidenceNames[key]}: ${problem}`),
    ),
  ];
}

/** The confusion matrix (fault × reported finding, once for each kind of evidence), the wrong rows, and the sums. */
export function renderMatrix(cases: readonly ScoredCase[]): string {
  return [drawMatrix(cases), ...cases.flatMap(describeProblems), '', summarize(cases), ''].join('\n');
}

export function renderMatrixJson(cases: readonly ScoredCase[]): string {
  const rows = cases.map((row) => ({ ...row, right: isRight(row) }));
  return `${JSON.stringify({ version: 1, right: cases.every(isRight), rows }, null, 2)}\n`;
}

/** Findings are columns; a letter stands for each, so that the matrix fits a terminal. */
function drawMatrix(cases: readonly ScoredCase[]): string {
  const both = ['fromSpans', 'fromTap'] as const;
  const found = new Set(cases.flatMap(({ scores }) => both.map((key) => nameOf(scores[key]))));
  const columns = [nothing, ...[...found].filter((name) => name !== nothing)];
  const letters = new Map(columns.map((name, index) => [name, index === 0 ? '-' : letterOf(index - 1)]));
  const width = Math.max(...cases.map(({ name }) => name.length), 'fault'.length) + 2;
  const block = (cells: readonly string[]) => cells.map((cell) => cell.padStart(2)).join('');
  const blockWidth = columns.length * 2;

  const head = block([...letters.values()]);
  const rows = [...Map.groupBy(cases, ({ name }) => name)].map(([name, group]) =>
    [
      name.padEnd(width),
      ...both.map((key) => block(columns.map((column) => countIn(group, key, column)))),
    ].join('  '),
  );
  return [
    `${' '.repeat(width)}  ${both.map((key) => ` ${evidenceNames[key]}`.padEnd(blockWidth)).join('  ')}`.trimEnd(),
    [`${'fault'.padEnd(width)}`, head, head].join('  '),
    ...rows,
    '',
    ...[...letters].map(([name, letter]) => `${letter} ${name}`),
  ].join('\n');
}

function countIn(group: readonly ScoredCase[], key: 'fromSpans' | 'fromTap', column: string): string {
  return String(group.filter(({ scores }) => nameOf(scores[key]) === column).length || '.');
}

function nameOf(score: Score): string {
  return score.reported ?? nothing;
}

function letterOf(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

function describeProblems({ name, mode, scores }: ScoredCase): readonly string[] {
  const problems = listProblems(scores).map((problem) => `  ${problem}`);
  return problems.length === 0 ? [] : ['', `✗ ${name}, ${mode} mode`, ...problems];
}

function summarize(cases: readonly ScoredCase[]): string {
  const broken = cases.filter(({ isHealthy }) => !isHealthy);
  const healthy = cases.filter(({ isHealthy }) => isHealthy);
  const count = (rows: readonly ScoredCase[], key: Evidence, grade: Grade): number =>
    rows.filter(({ scores }) => scores[key]?.grade === grade).length;
  const sum = (key: 'fromSpans' | 'fromTap'): string =>
    `${evidenceNames[key]} ${count(broken, key, 'named')} named, ${count(broken, key, 'undecided')} undecided ` +
    `with the cause among the candidates, ${count(broken, key, 'wrong')} wrong, ${count(broken, key, 'missed')} missed`;
  const alarms = (key: Evidence): string => `${count(healthy, key, 'false alarm')} ${evidenceNames[key]}`;
  return [
    `${broken.length} broken: ${sum('fromSpans')}`,
    `${broken.length} broken: ${sum('fromTap')}`,
    `${healthy.length} healthy: false alarms ${alarms('fromSpans')}, ${alarms('fromTap')}, ${alarms('blindly')}`,
    `${cases.filter(isRight).length} of ${cases.length} rows right`,
  ].join('\n');
}
