import type { Capture } from '../read-corpus.ts';
import type { Answers, EdgeAnswer } from './answer.ts';
import { baselines } from './baselines.ts';
import { type Grade, gradeAnswer } from './grade.ts';

/** A row of the table: the grades of one tool, one for each capture. */
export interface Row {
  readonly tool: string;
  readonly grades: readonly Grade[];
}

const brokenGrades = ['named', 'among candidates', 'found', 'wrong', 'missed'] as const;

export function gradeTool(
  tool: string,
  captures: readonly Capture[],
  answer: (capture: Capture) => readonly EdgeAnswer[],
): Row {
  return { tool, grades: captures.map((capture) => gradeAnswer(answer(capture), capture.label)) };
}

/** A capture without an answer counts as an answer without errors. */
export function gradeAnswers({ tool, captures: given }: Answers, captures: readonly Capture[]): Row {
  return gradeTool(tool, captures, ({ name }) => given[name]?.edges ?? []);
}

export function gradeBaselines(captures: readonly Capture[]): readonly Row[] {
  return baselines.map(({ name, answer }) => gradeTool(name, captures, answer));
}

/** Markdown. */
export function renderTable(rows: readonly Row[], captures: readonly Capture[]): string {
  const healthy = captures.filter(({ label }) => label.verdict === 'healthy').length;
  const header = [
    'tool',
    `false alarms (${healthy} healthy)`,
    ...brokenGrades.map((grade, at) => (at === 0 ? `${grade} (${captures.length - healthy} broken)` : grade)),
  ];
  const count = ({ grades }: Row, grade: Grade): string =>
    String(grades.filter((given) => given === grade).length);
  const lines = rows.map((row) => [
    row.tool,
    count(row, 'false alarm'),
    ...brokenGrades.map((grade) => count(row, grade)),
  ]);
  return [header, header.map((_, at) => (at === 0 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

/** @returns the page with the current table */
export function updateBenchmark(page: string, table: string): string {
  return page.replace(/(?<=^<!-- benchmark -->\n).*(?=^<!-- \/benchmark -->$)/ms, () => table);
}
