import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupBy } from '../../src/util/group-by.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { drawingsFolder, readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

/** The file of the kept text, with which a test compares current reports. */
export const explanationsFile = join(import.meta.dirname, 'explanations.txt');

export function listDrawings(): readonly string[] {
  return globSync('*/*.txt', { cwd: drawingsFolder }).sort();
}

/** The report of a drawing: the evidence of each finding by the line of its span, and the lines that `--explain` adds. */
export function renderExplanation(drawing: string): string {
  const { spans, expectation, headers } = readFixtureDrawing(drawing);
  const { findings, explain = [] } = checkTraces(spans, { expectation, headers, explain: true });
  const reported = findings.flatMap(({ severity, id, client, server, evidence, facts = [] }) => [
    `  ${severity} ${id} ${client} -> ${server}\n`,
    ...evidence.map(({ spanId, says }) => `    ${spanId.replace(/^0+/, '')}: ${says}\n`),
    ...facts.map((fact) => `    fact: ${fact}\n`),
  ]);
  const ends = explain.map(({ kind, service, name, reasons, unjudged }) =>
    [
      `  ${kind} "${name}" of ${service}`,
      ...reasons.map(({ finding, gate, values }) => `    ${finding} needs: ${gate}; here: ${values}`),
      ...(unjudged === undefined ? [] : [`    not judged: ${unjudged}`]),
    ].join('\n'),
  );
  const unreported = groupBy(ends, (end) => end).map((same) => `${same[0]}\n    (${same.length})\n`);
  return [...reported, ...unreported].join('');
}

/** The kept explanations by drawing. */
export function readExplanations(): ReadonlyMap<string, string> {
  const parts = readFileSync(explanationsFile, 'utf8').split(/^(?! )(.+)\n/m);
  return new Map(parts.flatMap((part, at) => (at % 2 === 1 ? [[part, parts[at + 1] ?? ''] as const] : [])));
}
