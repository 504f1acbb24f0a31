import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Capture } from '../read-corpus.ts';
import type { EdgeAnswer } from './answer.ts';
import { gradeBaselines, gradeTool, renderTable, updateBenchmark } from './table.ts';

/** A capture with this checker's own answers. */
export interface AnsweredCapture extends Capture {
  readonly answer: readonly EdgeAnswer[];
  /** Without expectations. */
  readonly blindAnswer: readonly EdgeAnswer[];
}

const page = join(import.meta.dirname, '..', '..', 'packages', 'propagation-check', 'corpus', 'README.md');

/** The table of the README: this checker, and the baselines. */
export function renderBenchmark(captures: readonly AnsweredCapture[]): string {
  const answers = new Map(captures.map((capture) => [capture.name, capture]));
  const own = (tool: string, answer: 'answer' | 'blindAnswer') =>
    gradeTool(tool, captures, ({ name }) => answers.get(name)?.[answer] ?? []);
  return renderTable(
    [
      own('propagation-check, told which services call which', 'answer'),
      own('propagation-check, told nothing', 'blindAnswer'),
      ...gradeBaselines(captures),
    ],
    captures,
  );
}

export function readPage(): string {
  return readFileSync(page, 'utf8');
}

export function writePage(captures: readonly AnsweredCapture[]): void {
  writeFileSync(page, updateBenchmark(readPage(), renderBenchmark(captures)));
}
