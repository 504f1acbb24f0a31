/** Writes the reports' texts for all drawings to a file, whose diff a person reviews. */
import { writeFileSync } from 'node:fs';
import { explanationsFile, listDrawings, renderExplanation } from '../test/rules/render-explanations.ts';

const explained = listDrawings().flatMap((drawing) => {
  const explanation = renderExplanation(drawing);
  return explanation === '' ? [] : [`${drawing}\n${explanation}`];
});
writeFileSync(explanationsFile, explained.join(''));
