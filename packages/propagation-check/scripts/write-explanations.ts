/** Writes what reports say of the drawings; a person reads the difference. */
import { writeFileSync } from 'node:fs';
import { explanationsFile, listDrawings, renderExplanation } from '../test/rules/render-explanations.ts';

const explained = listDrawings().flatMap((drawing) => {
  const explanation = renderExplanation(drawing);
  return explanation === '' ? [] : [`${drawing}\n${explanation}`];
});
writeFileSync(explanationsFile, explained.join(''));
