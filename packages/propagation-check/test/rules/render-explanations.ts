import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupBy } from '../../src/util/group-by.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

/** Where the text is kept, with which a test compares what `--explain` says today. */
export const explanationsFile = join(import.meta.dirname, 'explanations.txt');

/** What `--explain` says of all drawings with loose ends of which nothing is reported. */
export function renderExplanations(): string {
  return globSync('*/*.txt', { cwd: fixtures })
    .sort()
    .flatMap((file) => {
      const { spans, expectation, headers } = readDrawing(readFileSync(join(fixtures, file), 'utf8'));
      const { explain = [] } = checkTraces(spans, { expectation, headers, explain: true });
      const ends = explain.map(({ kind, service, name, reasons }) =>
        [
          `  ${kind} "${name}" of ${service}`,
          ...reasons.map(({ finding, gate, values }) => `    ${finding} needs: ${gate}; here: ${values}`),
        ].join('\n'),
      );
      const alike = groupBy(ends, (end) => end);
      return ends.length === 0 ? [] : [file, ...alike.map((same) => `${same[0]}\n    (${same.length})`)];
    })
    .join('\n')
    .concat('\n');
}
