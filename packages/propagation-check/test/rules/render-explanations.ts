import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupBy, keyFor } from '../../src/util/group-by.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { drawingsFolder, readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

/** The file of the kept text, with which a test compares current reports. */
const explanationsFile = join(import.meta.dirname, 'explanations.txt');

export function listDrawings(): readonly string[] {
  return globSync('*/*.txt', { cwd: drawingsFolder }).sort();
}

/** The report of a drawing: the evidence of each finding by the line of its span, and the lines that `--explain` adds. */
export function renderExplanation(drawing: string): string {
  const { spans, expectation, headers } = readFixtureDrawing(drawing);
  const { findings, explain = [] } = checkTraces(spans, { expectation, headers, explain: true });
  const reported = findings.flatMap(({ severity, id, client, server, evidence, facts = [] }) => [
    `  ${severity} ${id} ${client} -> ${server}\n`,
    ...joinAlike(evidence.map(({ spanId, says }) => `    ${shortenIds(`${spanId}: ${says}`)}\n`)),
    ...facts.map((fact) => `    fact: ${fact}\n`),
  ]);
  const unreported = explain.map(({ kind, service, name, reasons, unjudged }) => ({
    end: `  ${kind} "${name}" of ${service}`,
    says: [
      ...reasons.map(({ finding, gate, values }) => `    ${finding} needs: ${gate}; here: ${values}\n`),
      ...(unjudged === undefined ? [] : [`    not judged: ${unjudged}\n`]),
    ].join(''),
  }));
  const counted = groupBy(unreported, ({ end, says }) => keyFor(end, says)).map(
    (same) => `${same[0].end} (${same.length})\n${same[0].says}`,
  );
  return [...reported, ...counted].join('');
}

/** Writes ids as the drawing does: a span by its line, a trace by its number, except where only half of its id is known. */
function shortenIds(text: string): string {
  return text
    .replace(/\bfeedfacecafebeef0*(?=\d)/g, '')
    .replace(/(?<!trace (?:id )?|, its SERVER )\b\d{16}\b/g, (id) => id.replace(/^0+/, ''));
}

/** Successive lines that differ only in numbers become one line, with `3|5` for their numbers. */
function joinAlike(lines: readonly string[]): readonly string[] {
  const groups: string[][] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last?.[0]?.replace(/\d+/g, '') === line.replace(/\d+/g, '')) last.push(line);
    else groups.push([line]);
  }
  return groups.map(([first = '', ...others]) => {
    const numbers = others.map((line) => line.match(/\d+/g) ?? []);
    let at = -1;
    return first.replace(/\d+/g, (number) => {
      at += 1;
      const all = [number, ...numbers.map((of) => of[at])];
      return all.every((one) => one === number) ? number : all.join('|');
    });
  });
}

/** Drawings with the same explanation stand above it together. */
export function writeExplanations(): void {
  const explained = listDrawings().map((drawing) => ({ drawing, explanation: renderExplanation(drawing) }));
  const groups = groupBy(explained, ({ explanation }) => explanation).filter(
    ([{ explanation }]) => explanation !== '',
  );
  const texts = groups.map(
    (same) => same.map(({ drawing }) => `${drawing}\n`).join('') + same[0].explanation,
  );
  writeFileSync(explanationsFile, texts.join(''));
}

/** The kept explanations by drawing. */
export function readExplanations(): ReadonlyMap<string, string> {
  const groups = readFileSync(explanationsFile, 'utf8').matchAll(/((?:\S.*\n)+)((?: .*\n)+)/g);
  return new Map(
    groups.flatMap(([, drawings = '', explanation = '']) =>
      drawings
        .trimEnd()
        .split('\n')
        .map((drawing) => [drawing, explanation] as const),
    ),
  );
}
