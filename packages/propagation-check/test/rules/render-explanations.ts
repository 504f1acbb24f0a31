import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupBy } from '../../src/util/group-by.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

/** Where the text is kept, with which a test compares what `--explain` says today. */
export const explanationsFile = join(import.meta.dirname, 'explanations.txt');

export function listDrawings(): readonly string[] {
  return globSync('*/*.txt', { cwd: fixtures }).sort();
}

/** What `--explain` says of a drawing; nothing where each loose end is reported. */
export function renderExplanation(drawing: string): string {
  const { spans, expectation, headers } = readDrawing(readFileSync(join(fixtures, drawing), 'utf8'));
  const { explain = [] } = checkTraces(spans, { expectation, headers, explain: true });
  const ends = explain.map(({ kind, service, name, reasons }) =>
    [
      `  ${kind} "${name}" of ${service}`,
      ...reasons.map(({ finding, gate, values }) => `    ${finding} needs: ${gate}; here: ${values}`),
    ].join('\n'),
  );
  return groupBy(ends, (end) => end)
    .map((same) => `${same[0]}\n    (${same.length})\n`)
    .join('');
}

/** The kept explanations by drawing. */
export function readExplanations(): ReadonlyMap<string, string> {
  const parts = readFileSync(explanationsFile, 'utf8').split(/^(?! )(.+)\n/m);
  return new Map(parts.flatMap((part, at) => (at % 2 === 1 ? [[part, parts[at + 1] ?? ''] as const] : [])));
}
